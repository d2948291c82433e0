"""Export: writes a trained network as a model file and checks the file against the network."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import ModelError, OutputError
from geosrseg.networks.halo import DEFAULT_HALO, exact_halo, measured_halo
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.averaged import Averaged, Poses
from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.products.model_readme import model_readme
from geosrseg.raster.storage.publication import check_output, open_drafts, publish, publish_text
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.session import open_session
from geosrseg.runtime.shipped_models import SUFFIX
from geosrseg.training.finishing.agreement import compare
from geosrseg.training.run_folder.run import Run

WINDOW_PIXELS = 1024
"""HR pixels along each side of the default window."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A written model file.

    Attributes:
        sha256: hash of the file, in hexadecimal.
        label_agreement: see `Agreement.labels`.
        compared: see `Agreement`.
        sr_error: see `Agreement`.
    """

    path: Path
    size_bytes: int
    sha256: str
    label_agreement: float
    compared: float
    sr_error: float


def export_network(
    network: JointNetwork, spec: ModelSpec, output: Path, *, overwrite: bool = False
) -> ExportResult:
    """Write a network as a model file, if the file computes the same as the network.

    Args:
        spec: the file's metadata.
        output: ``FILE.onnx``.
        overwrite: replace an existing file.

    Raises:
        ModelError: the model file is refused, or its results differ from the network's.
        OutputError: the file cannot be written.
    """
    check_output(output, suffixes=[SUFFIX], overwrite=overwrite)
    content = build_onnx(network, spec).SerializeToString()
    with open_drafts(output) as folder:
        draft = folder / output.name
        try:
            draft.write_bytes(content)
        except OSError as error:
            raise OutputError(f"{draft.name}: cannot be written ({error.strerror})") from error
        with open_session(draft, device="cpu") as session:
            agreement = compare(network, session)
        if not agreement.sufficient:
            raise ModelError(f"{output} was not written: {agreement}")
        publish([draft], output)
    return ExportResult(
        path=output,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        label_agreement=agreement.labels,
        compared=agreement.compared,
        sr_error=agreement.sr_error,
    )


def export(
    run: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    version: str = "1",
    halo: int = DEFAULT_HALO,
    precisions: Sequence[str] = (),
    limits: str = "",
    card: str | Path | None = None,
    tta: Poses | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Write the best weights of a run as a model file.

    Args:
        run: the folder of a finished run.
        output: ``FILE.onnx``.
        name: name of the model; the file's name by default.
        version: version of the weights.
        halo: LR pixels at a window's border that blending does not use.
        precisions: precisions besides fp32 in which the model was found equally accurate.
        limits: text on where the model should not be trusted.
        card: path of a ``README.md`` to write, see `model_readme`; none by default.
        tta: test-time augmentation: the file returns the mean over the four flips of its input,
            or over these and the quarter turns. Its metrics, temperature and confusion matrix
            are those of the network without augmentation.
        overwrite: replace existing files.

    Raises:
        RunError: the run is not finished.
        ModelError, OutputError: see `export_network`.
    """
    trained = Run(Path(run))
    config = trained.config()
    network = Averaged(trained.network(), tta) if tta else trained.network()
    multiple, reach = network.multiple, exact_halo(network)
    validation = trained.validation()
    # The four flips form one batch: half the side needs the same memory.
    largest = WINDOW_PIXELS // (2 if tta else 1) // config.network.upscale_factor
    try:
        spec = ModelSpec(
            name=name or Path(output).stem,
            version=version,
            bands=config.bands,
            upscale_factor=config.network.upscale_factor,
            normalization=config.normalization,
            legend=config.legend,
            multiple=multiple,
            window_size=max(largest // multiple, 4) * multiple,
            halo=halo if reach is None else min(halo, reach),
            exact_halo=reach,
            measured_halo=measured_halo(network),
            licence=config.licence,
            training_data=f"{config.dataset}: {config.source}",
            limits=limits,
            metrics=validation.metrics,
            temperature=validation.temperature,
            confusion=validation.confusion,
            config_hash=config.sha256,
            precisions=("fp32", *precisions),
            domain=config.domain,
        )
    except ValueError as error:
        raise ModelError(f"{output} was not written: {error}") from error
    if card is not None:
        check_output(Path(card), suffixes=[".md"], overwrite=overwrite)
    report = export_network(network, spec, Path(output), overwrite=overwrite)
    if card is not None:
        publish_text(Path(card), model_readme(read_model_file(report.path)))
    return report
