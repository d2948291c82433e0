"""Transfer: loads weights into a network that may have other bands and classes.

A layer of the same shape is copied. Inputs that are bands, and outputs that are bands or
classes, are matched by name. New inputs start with zero weights, so that they do not disturb
what the network has learned; new outputs start at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from geosrseg.errors import RunError
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.joint import JointNetwork
from geosrseg.training.starting.pretrained import Pretrained
from geosrseg.training.starting.reference_weights import COUNTER

Names = Sequence[str]

SHOWN = 4
"""Number of layers listed in a message."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A tensor axis along which every index has a name.

    Attributes:
        here: names along the axis in the network.
        there: names along the axis in the weights.
    """

    number: int
    here: Names
    there: Names


def transfer(
    pretrained: Pretrained,
    network: JointNetwork,
    config: NetworkConfig,
    *,
    bands: Names,
    classes: Names,
) -> list[str]:
    """Load the weights that fit.

    Args:
        network: network with random weights.
        config: configuration of the network.

    Returns:
        The layers, bands and classes that start at random, for messages; empty if all fit.

    Raises:
        RunError: nothing fits.
    """
    state = network.state_dict()
    axes = _axes(network, config, pretrained, bands=bands, classes=classes)
    taken, unmatched = {}, []
    for name, fresh in state.items():
        old = pretrained.weights.get(name)
        moved = None if old is None else _moved(old, fresh, axes.get(name, []))
        if moved is not None:
            taken[name] = moved
        elif not name.endswith(COUNTER):
            unmatched.append(name)
    if not taken:
        raise RunError(
            f"{pretrained.name} has no layer of this network: expected weights of the same "
            f"networks, such as {next(iter(state))}"
        )
    network.load_state_dict(taken, strict=False)
    return [*_layers(unmatched), *_unknown(pretrained, bands=bands, classes=classes)]


def _axes(
    network: JointNetwork,
    config: NetworkConfig,
    pretrained: Pretrained,
    *,
    bands: Names,
    classes: Names,
) -> dict[str, list[Axis]]:
    """Find the axes of bands or classes that differ, by the names of tensors."""
    axes: dict[str, list[Axis]] = {}
    for wider, here, there in (
        (replace(config, bands=config.bands + 1), bands, pretrained.bands),
        (replace(config, classes=config.classes + 1), classes, pretrained.classes),
    ):
        if not there or tuple(here) == tuple(there):
            continue
        with torch.random.fork_rng(devices=[]):
            other = build_network(wider).state_dict()
        for name, tensor in network.state_dict().items():
            for number, size in enumerate(tensor.shape):
                if size != other[name].shape[number]:
                    old = pretrained.weights.get(name)
                    length = 0 if old is None or old.ndim <= number else old.shape[number]
                    axis = Axis(
                        number, _places(network, here, size), _places(network, there, length)
                    )
                    axes.setdefault(name, []).append(axis)
    return axes


def _places(network: JointNetwork, names: Names, count: int) -> Names:
    """Name each of `count` indices that stand for bands or classes; empty if unknown."""
    inputs = network.input_names(names)
    if count == len(names):
        return [name.casefold() for name in names]
    if count == len(inputs):
        return [name.casefold() for name in inputs]
    if count % len(names):
        return []
    each = count // len(names)  # such as the pixels of a shuffle, band by band
    return [f"{name.casefold()} {number}" for name in names for number in range(each)]


def _moved(old: Tensor, fresh: Tensor, axes: list[Axis]) -> Tensor | None:
    """Rearrange a tensor to the shape of `fresh`; None if nothing fits."""
    if old.ndim != fresh.ndim:
        return None
    moved = old.to(fresh.dtype)
    for axis in axes:
        pairs = [
            (number, axis.there.index(name))
            for number, name in enumerate(axis.here)
            if name in axis.there
        ]
        if not pairs:
            return None
        here, there = (torch.tensor(indices) for indices in zip(*pairs, strict=True))
        shape = list(moved.shape)
        shape[axis.number] = fresh.shape[axis.number]
        base = torch.zeros(shape, dtype=fresh.dtype)
        if axis.number == 0 and shape == list(fresh.shape):
            base = fresh.detach().clone()
        moved = base.index_copy(axis.number, here, moved.index_select(axis.number, there))
    return moved if moved.shape == fresh.shape else None


def _layers(names: list[str]) -> list[str]:
    """Name the first layers of tensors, and count the rest."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    more = [f"{len(layers) - SHOWN} more layers"] if len(layers) > SHOWN else []
    return layers[:SHOWN] + more


def _unknown(pretrained: Pretrained, *, bands: Names, classes: Names) -> list[str]:
    """List bands and classes that the weights lack."""
    listed: list[str] = []
    for kind, here, there in (
        ("band", bands, pretrained.bands),
        ("class", classes, pretrained.classes),
    ):
        known = {name.casefold() for name in there}
        listed += [f"{kind} {name}" for name in here if known and name.casefold() not in known]
    return listed
