"""Pretrained: the weights of a model that somebody has, and what they are for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
from torch import Tensor

from geosrseg.core.normalize import Normalization
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import RunError
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.onnx.weights import read_weights
from geosrseg.networks.presets import PRESETS, configure
from geosrseg.regular_file import hash_file
from geosrseg.runtime.model.model_file import ModelFile, read_model_file
from geosrseg.runtime.shipped_models import find_model, list_models
from geosrseg.training.run_folder.run import NETWORK_PREFIX, Run
from geosrseg.training.starting.reference_weights import read_tensors

TENSORS = (".safetensors", ".pth", ".pt", ".ckpt")
"""How files of weights by name end."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pretrained:
    """Weights by the names that they have in a network.

    Attributes:
        name: what they were asked for by.
        sha256: of the file, in hexadecimal.
        weights: by name.
        bands: names of the input bands; empty where that is not known.
        classes: names of the output classes, in the same order of channels.
        normalization: reflectance to network input.
        folded: the batch normalizations have lost their statistics.
    """

    name: str
    sha256: str
    weights: dict[str, Tensor]
    bands: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    normalization: Normalization | None = None
    folded: bool = False

    def ranges(
        self, bands: Sequence[str], own: Sequence[tuple[float, float]]
    ) -> list[tuple[float, float]]:
        """The reflectance that becomes 0 and 1 in each band.

        Args:
            bands: names.
            own: what is taken for a band that is not known here.
        """
        there = self.normalization
        if there is None:
            return list(own)
        known = dict(zip(self.bands, zip(there.low, there.high, strict=True), strict=True))
        return [known.get(band, limits) for band, limits in zip(bands, own, strict=True)]


def read_pretrained(model: str | Path, config: NetworkConfig) -> Pretrained:
    """The weights of a run, of a model file, of a shipped model, or of a file of weights.

    Args:
        model: a run's folder, ``FILE.onnx``, a name, or a file that holds weights by name.
        config: of the network that is to begin with them; a model file has to be of its kind,
            as it does not say of which it is.

    Raises:
        ModelError: there is no such model, or the model file is refused.
        RunError: the run has no weights yet, the file holds none, or is of another network.
    """
    path = Path(model)
    shipped = isinstance(model, str) and model in {each.name for each in list_models()}
    if not shipped:
        if path.is_dir():
            return _of_run(Run(path), str(model))
        if path.suffix in TENSORS and path.is_file():
            return _of_tensors(path)
    return _of_model_file(read_model_file(find_model(model)), str(model), config)


def _of_run(run: Run, name: str) -> Pretrained:
    """The best weights of a run, finished or not."""
    config = run.config()
    file = run.weights_file if run.finished else run.best_checkpoint
    weights = run.network().state_dict()
    return Pretrained(
        name=name,
        sha256=hash_file(file),
        weights=weights,
        bands=config.bands,
        classes=config.legend.names,
        normalization=config.normalization,
    )


def _of_tensors(path: Path) -> Pretrained:
    """A file of weights; where it lies in a run's folder, that says what they are for."""
    weights = {
        name.removeprefix(NETWORK_PREFIX): value for name, value in read_tensors(path).items()
    }
    bare = Pretrained(name=str(path), sha256=hash_file(path), weights=weights)
    run = Run(path.parent)
    if not run.config_file.is_file():
        return bare
    config = run.config()
    return replace(
        bare,
        bands=config.bands,
        classes=config.legend.names,
        normalization=config.normalization,
    )


def _of_model_file(file: ModelFile, name: str, config: NetworkConfig) -> Pretrained:
    graph = onnx.load_model_from_string(file.content)
    faults = []
    for written in _kinds(config, file.spec):
        try:
            weights = read_weights(build_network(written), graph)
        except ValueError as error:
            faults.append(str(error))
            continue
        return Pretrained(
            name=name,
            sha256=file.sha256,
            weights=weights,
            bands=file.spec.bands,
            classes=file.spec.legend.names,
            normalization=file.spec.normalization,
            folded=True,
        )
    raise RunError(
        f"{name} was written from another network than this one ({faults[0]}): "
        f"{_right_kind(graph, file.spec)}"
    )


def _kinds(config: NetworkConfig, spec: ModelSpec) -> Iterator[NetworkConfig]:
    """What a file may have been written from that has a network's layers."""
    protocols = ["hr"] if spec.upscale_factor == 1 else ["end-to-end", "lr"]
    for protocol in protocols:
        yield replace(
            config,
            protocol=protocol,
            bands=len(spec.bands),
            classes=len(spec.legend),
            upscale_factor=spec.upscale_factor,
        )


def _right_kind(graph: onnx.ModelProto, spec: ModelSpec) -> str:
    """What to ask for, if the file is of a preset's network."""
    for preset in PRESETS:
        network, _ = configure(
            preset,
            protocol="hr" if spec.upscale_factor == 1 else "end-to-end",
            bands=len(spec.bands),
            classes=len(spec.legend),
            upscale_factor=spec.upscale_factor,
        )
        for written in _kinds(network, spec):
            try:
                read_weights(build_network(written), graph)
            except ValueError:
                continue
            upscale = "" if spec.upscale_factor == 1 else f", `upscale={spec.upscale_factor}`"
            return f"give `preset={preset}`{upscale}"
    return "give the options of its network, or the run that it was exported from"
