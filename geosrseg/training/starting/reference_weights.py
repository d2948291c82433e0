"""Reference weights: loads the published weights of other implementations.

D-DBPN: the layout of its authors' PyTorch code. Our layers have the same names, so the mapping is
the identity; DataParallel's prefix ``module.`` is removed from every key.

    feat0.conv.*  feat0.act.weight     feat1.conv.*  feat1.act.weight
    up<k>.conv.*                       merges features, k >= 3; down<k>.conv.* for k >= 2
    up<k>.up_conv1.deconv.*            up_conv2.conv.*      up_conv3.deconv.*
    down<k>.down_conv1.conv.*          down_conv2.deconv.*  down_conv3.conv.*
    output_conv.conv.*

SegNet's encoder: torchvision's VGG16, whose layers are numbered consecutively.

    features.<n>.*                     convolution [, batch norm], ReLU, ...; pooling
    classifier.*                       ignored

From a VGG16 without batch normalization only the convolutions are loaded.

An encoder of segmentation_models.pytorch: the names of its backbone in torchvision or timm.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from geosrseg.errors import RunError
from geosrseg.networks.pickles import load_pickle
from geosrseg.networks.segmentation.segnet import SegNet
from geosrseg.networks.super_resolution.dbpn import DBPN
from geosrseg.regular_file import check_regular

COUNTER = "num_batches_tracked"
"""Counter of a batch normalization; it has no effect, and old files lack it."""

EXPECTED = "the same factor, channels and stages; another number of bands needs adapt_bands"
"""Requirements on D-DBPN and VGG16 weights, for messages."""

SHOWN = 3
"""Number of keys listed in a message."""


def load_dbpn(network: DBPN, path: Path, *, adapt_bands: bool = False) -> None:
    """Load a D-DBPN checkpoint in its authors' layout.

    Args:
        network: network with the file's upscale factor, channels and stages.
        path: a ``.pth`` or ``.safetensors`` file.
        adapt_bands: allow another number of bands: every band gets the mean over the file's
            bands, so that the result for a grey image stays the same.

    Raises:
        RunError: the file cannot be read, or does not fit the network.
    """
    weights = read_tensors(path)
    if adapt_bands:
        bands = network.state_dict()["feat0.conv.weight"].shape[1]
        _adapt_inputs(weights, "feat0.conv.weight", bands)
        _adapt_outputs(weights, "output_conv.conv.weight", bands)
        _adapt_outputs(weights, "output_conv.conv.bias", bands)
    _load(network, weights, path)


def load_vgg16(network: SegNet, path: Path, *, adapt_bands: bool = False) -> None:
    """Load torchvision's VGG16 into the encoder of a SegNet.

    Args:
        network: SegNet of width 1.
        path: a ``.pth`` or ``.safetensors`` file.
        adapt_bands: see `load_dbpn`.

    Raises:
        RunError: the file cannot be read, or is not a VGG16.
    """
    weights = read_tensors(path)
    normalized = "features.1.running_mean" in weights
    names = _vgg16_names(network, normalized=normalized)
    renamed = {}
    for key, value in weights.items():
        layer, _, kind = key.rpartition(".")
        if not key.startswith("classifier."):
            renamed[f"{names.get(layer, layer)}.{kind}"] = value
    if adapt_bands:
        bands = network.encoder.state_dict()["0.0.0.weight"].shape[1]
        _adapt_inputs(renamed, "0.0.0.weight", bands)
    _load(network.encoder, renamed, path, layers=set(names.values()))


def load_encoder(encoder: nn.Module, path: Path, *, bands: int) -> None:
    """Load the published weights of a backbone into an encoder, ignoring its classification head.

    Args:
        encoder: encoder of segmentation_models.pytorch, which keeps the backbone's names.
        path: a ``.pth`` or ``.safetensors`` file.
        bands: input bands of the encoder; adapted as by `load_dbpn` if the file has others.

    Raises:
        RunError: the file cannot be read, or belongs to another backbone.
    """
    weights, state = read_tensors(path), encoder.state_dict()
    prefix = _prefix(weights, state)
    parts = {key.partition(".")[0] for key in state}
    own = {key.removeprefix(prefix): v for key, v in weights.items() if key.startswith(prefix)}
    found = {key: value for key, value in own.items() if key.partition(".")[0] in parts}
    first = next((key for key, value in state.items() if value.ndim == 4), "")
    _adapt_inputs(found, first, bands)
    _load(encoder, found, path, expected=f"the encoder's names, such as {first}, after any prefix")


def _prefix(weights: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """Find the prefix of the backbone's names in a file, such as ``model.encoder.``."""
    counts = Counter(
        key.removesuffix(name)
        for name in state
        for key in weights
        if key == name or key.endswith(f".{name}")
    )
    # The shortest of equally frequent ones: names in a block can end like top-level names.
    return min(counts, key=lambda prefix: (-counts[prefix], len(prefix)), default="")


def _vgg16_names(network: SegNet, *, normalized: bool) -> dict[str, str]:
    """Map ``features.<n>`` to the layer's name in our encoder."""
    names, number = {}, 0
    for level, block in enumerate(network.encoder):
        convolutions = sum(isinstance(layer, nn.Sequential) for layer in block.children())
        for step in range(convolutions):
            names[f"features.{number}"] = f"{level}.{step}.0"
            if normalized:
                number += 1
                names[f"features.{number}"] = f"{level}.{step}.1"
            number += 2  # skip the ReLU
        number += 1  # skip the pooling
    return names


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file by their keys, without DataParallel's prefix.

    Args:
        path: a ``.safetensors`` file, or a pickle of tensors or of a checkpoint with a
            ``state_dict``.

    Raises:
        RunError: the file cannot be read, or contains other values.
    """
    try:
        check_regular(path)
        values = load_file(path) if path.suffix == ".safetensors" else load_pickle(path)
    except RunError:
        raise
    except Exception as error:  # errors of broken pickles have no common base class
        detail = str(error).partition("\n")[0] or type(error).__name__
        raise RunError(
            f"{path} cannot be read as weights ({detail}): expected tensors by name, in a .pth "
            "or .safetensors file"
        ) from error
    if isinstance(values, Mapping) and isinstance(values.get("state_dict"), Mapping):
        values = values["state_dict"]
    if not isinstance(values, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in values.items()
    ):
        raise RunError(f"{path} holds more than weights: expected only tensors (a state_dict)")
    return {
        key.removeprefix("module."): value
        for key, value in values.items()
        if not key.endswith(COUNTER)
    }


def _load(
    module: nn.Module,
    weights: dict[str, Tensor],
    path: Path,
    *,
    layers: set[str] | None = None,
    expected: str = EXPECTED,
) -> None:
    """Load weights into a module, or into some of its `layers`, if they match exactly."""
    state = {
        key: value
        for key, value in module.state_dict().items()
        if not key.endswith(COUNTER) and (layers is None or key.rpartition(".")[0] in layers)
    }
    problems = []
    if missing := [key for key in state if key not in weights]:
        problems.append(f"missing {_some(missing)}")
    if unexpected := [key for key in weights if key not in state]:
        problems.append(f"unexpected {_some(unexpected)}")
    if wrong := [
        f"{key} of {tuple(weights[key].shape)} instead of {tuple(value.shape)}"
        for key, value in state.items()
        if key in weights and weights[key].shape != value.shape
    ]:
        problems.append(_some(wrong))
    if spoilt := [key for key, value in weights.items() if not value.isfinite().all()]:
        problems.append(f"values that are not finite in {_some(spoilt)}")
    if problems:
        raise RunError(f"{path} does not fit: {'; '.join(problems)}. Expected {expected}")
    module.load_state_dict(weights, strict=False)


def _some(items: list[str]) -> str:
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more


def _adapt_inputs(weights: dict[str, Tensor], key: str, bands: int) -> None:
    """Give a convolution `bands` inputs, keeping the sum over them."""
    if key in weights and weights[key].ndim == 4 and weights[key].shape[1] != bands:
        weights[key] = (weights[key].sum(1, keepdim=True) / bands).repeat(1, bands, 1, 1)


def _adapt_outputs(weights: dict[str, Tensor], key: str, bands: int) -> None:
    """Give a convolution's weight or bias `bands` outputs, each the mean of the old ones."""
    if key in weights and len(weights[key]) != bands:
        mean = weights[key].mean(0, keepdim=True)
        weights[key] = mean.repeat(bands, *[1] * (mean.ndim - 1))
