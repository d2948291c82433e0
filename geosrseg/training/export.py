"""Export: a trained network in, a model file out that has been checked against it."""

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import ModelError, OutputError
from geosrseg.networks.framework import EndToEnd
from geosrseg.networks.halo import DEFAULT_HALO, exact_halo, measured_halo, window_multiple
from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.raster.files.publication import check_output, open_drafts, publish
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import SUFFIX
from geosrseg.training.run import Run

MIN_LABEL_AGREEMENT = 0.999
"""Not 1: a difference in the last bit can move a maximum to its neighbour.

In trained end-to-end networks that has not been seen to change a label. In untrained ones
one move changes dozens, and all of them together up to 0.05 %.
"""

MAX_SR_ERROR = 1e-4

WINDOW_PIXELS = 1024
"""HR pixels of the largest window by default."""

CHECK_SIZES = ((6, 4), (5, 8))  # rows and columns, in multiples of the window


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a model file is from the network that it was made of.

    Attributes:
        labels: share of the target pixels with the same label.
        sr_error: largest difference of the SR images, relative to their largest value.
    """

    labels: float
    sr_error: float

    @property
    def sufficient(self) -> bool:
        """No more than rounding differs."""
        return self.labels >= MIN_LABEL_AGREEMENT and self.sr_error <= MAX_SR_ERROR


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A model file that was written.

    Attributes:
        path: of the file.
        size_bytes: of the file.
        sha256: of the file, in hexadecimal.
        label_agreement: see `Agreement`.
        sr_error: see `Agreement`.
    """

    path: Path
    size_bytes: int
    sha256: str
    label_agreement: float
    sr_error: float


def export_network(
    network: EndToEnd, spec: ModelSpec, output: Path, *, overwrite: bool = False
) -> ExportReport:
    """Write a network as a model file, once the file has proved equal to the network.

    Args:
        network: left as it is.
        spec: what the file will say of itself.
        output: ``FILE.onnx``.
        overwrite: replace an existing file.

    Raises:
        ModelError: the model file is refused, or does not compute what the network does.
        OutputError: the file cannot be written.
    """
    check_output(output, suffixes=[SUFFIX], overwrite=overwrite)
    content = build_onnx(network, spec).SerializeToString()
    with open_drafts(output) as folder:
        draft = folder / output.name
        _write(draft, content)
        with open_session(draft, device="cpu") as session:
            agreement = compare(network, session)
        if not agreement.sufficient:
            raise ModelError(
                f"{output} was not written: its labels agree with the network's on "
                f"{agreement.labels:.4%} of the pixels (expected {MIN_LABEL_AGREEMENT:.1%}), its "
                f"SR image differs by {agreement.sr_error:.1e} (expected {MAX_SR_ERROR:.0e})"
            )
        publish([draft], output)
    return ExportReport(
        path=output,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        label_agreement=agreement.labels,
        sr_error=agreement.sr_error,
    )


def _write(draft: Path, content: bytes) -> None:
    try:
        draft.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{draft.name}: cannot be written ({error.strerror})") from error


def compare(network: EndToEnd, session: Session) -> Agreement:
    """Run network and model file on the same random images, none of them square."""
    network = copy.deepcopy(network).cpu().float().eval()
    same, sr_errors = [], []
    for lr in _images(session.spec):
        with torch.inference_mode():
            sr, logits = network(lr)
        probabilities, file_sr = session.run_with_sr(lr.numpy())
        same.append((probabilities.argmax(1) == logits.argmax(1).numpy()).ravel())
        sr_errors.append(float(np.abs(file_sr - sr.numpy()).max() / sr.abs().max()))
    return Agreement(float(np.concatenate(same).mean()), max(sr_errors))


def _images(spec: ModelSpec) -> Iterator[Tensor]:
    """(1, bands, H, W) images in [0, 1], always the same ones.

    They are noise, as an upsampled one is still smooth. In a smoother image the four pixels
    of a pooling window can be equal but for rounding, which no two runtimes do alike.
    """
    random = torch.Generator().manual_seed(0)
    for rows, cols in CHECK_SIZES:
        size = (rows * spec.multiple, cols * spec.multiple)
        yield torch.rand(1, len(spec.bands), *size, generator=random)


def export(
    run: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    version: str = "1",
    halo: int = DEFAULT_HALO,
    precisions: Sequence[str] = (),
    limits: str = "",
    overwrite: bool = False,
) -> ExportReport:
    """Write the best weights of a run as a model file.

    Args:
        run: the folder of a finished run.
        output: ``FILE.onnx``.
        name: of the model; the file's name unless given.
        version: of the weights.
        halo: LR pixels at a window's border that blending does not use.
        precisions: besides fp32, in which the model was measured to do as well.
        limits: where the model should not be trusted.
        overwrite: replace an existing file.

    Raises:
        RunError: the run is not finished.
        ModelError, OutputError: see `export_network`.
    """
    trained = Run(Path(run))
    config = trained.config()
    network = trained.network()
    multiple, reach = window_multiple(network), exact_halo(network)
    validation = trained.validation()
    spec = ModelSpec(
        name=name or Path(output).stem,
        version=version,
        bands=config.bands,
        upscale_factor=config.network.upscale_factor,
        normalization=config.normalization,
        legend=config.legend,
        multiple=multiple,
        window_size=max(WINDOW_PIXELS // config.network.upscale_factor, 4 * multiple),
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
    )
    return export_network(network, spec, Path(output), overwrite=overwrite)
