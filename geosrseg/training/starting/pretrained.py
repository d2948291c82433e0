"""Pretrained: the weights of an existing model, with their bands, classes and normalization."""

from collections.abc import Iterator
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
"""Suffixes of files with tensors by name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pretrained:
    """Weights of a model.

    Attributes:
        name: the user's name for the model, for messages.
        sha256: hash of the file, in hexadecimal.
        weights: tensors by their names in the network.
        bands: names of the input bands; empty if unknown.
        classes: names of the output classes in the order of channels; empty if unknown.
        normalization: reflectance to network input; None if unknown.
        folded: the batch normalizations have lost their statistics.
    """

    name: str
    sha256: str
    weights: dict[str, Tensor]
    bands: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    normalization: Normalization | None = None
    folded: bool = False

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The reflectance that becomes 0 and 1, by band; empty if unknown."""
        if self.normalization is None:
            return {}
        limits = zip(self.normalization.low, self.normalization.high, strict=True)
        return dict(zip(self.bands, limits, strict=True))


def read_pretrained(model: str | Path, config: NetworkConfig) -> Pretrained:
    """Read the weights of a run, a model file, a shipped model, or a file of tensors.

    Args:
        model: a run's folder, ``FILE.onnx``, a shipped model's name, or a file of `TENSORS`.
        config: configuration of the network that starts with them; a model file does not name
            its network, and must have been written from one of this kind.

    Raises:
        ModelError: there is no such model, or the model file is refused.
        RunError: the run has no weights yet, or the file has none or belongs to another network.
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
    """Read the best weights of a run, finished or not."""
    file = run.weights_file if run.finished else run.best_checkpoint
    weights = run.network().state_dict()
    return _described(Pretrained(name=name, sha256=hash_file(file), weights=weights), run)


def _of_tensors(path: Path) -> Pretrained:
    """Read a file of tensors, and the configuration beside it if it lies in a run's folder."""
    weights = {
        name.removeprefix(NETWORK_PREFIX): value for name, value in read_tensors(path).items()
    }
    bare = Pretrained(name=str(path), sha256=hash_file(path), weights=weights)
    run = Run(path.parent)
    return _described(bare, run) if run.config_file.is_file() else bare


def _described(bare: Pretrained, run: Run) -> Pretrained:
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
        f"{name} was written from a different network ({faults[0]}): "
        f"{_right_kind(graph, file.spec)}"
    )


def _kinds(config: NetworkConfig, spec: ModelSpec) -> Iterator[NetworkConfig]:
    """Yield the configurations with a network's layers that a file may have been written from."""
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
    """Say which options fit the file."""
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
            return f"use `preset={preset}`{upscale}"
    return "use the options of its network, or the run that it was exported from"
