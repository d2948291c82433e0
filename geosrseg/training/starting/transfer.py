"""Transfer: loads weights into a network that may have other bands and classes.

A layer of the same shape is copied. Inputs that are bands, and outputs that are bands or
classes, are matched by name. New inputs start with zero weights, so that they do not disturb
what the network has learned; new outputs start at random.

A network can compute further inputs from its bands, such as differences of two. Which ones may
depend on the number and order of the bands, so that some of the weights' inputs have no place.
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

SHOWN = 5
"""Number of layers, or of inputs, listed in a message."""


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


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit between weights and a network, for messages; empty if all fits.

    Attributes:
        random: layers and classes that start at random.
        zero: bands whose weights start at zero.
        lost: inputs of the weights that the network lacks, though it has their bands.
    """

    random: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def transfer(
    pretrained: Pretrained,
    network: JointNetwork,
    config: NetworkConfig,
    *,
    bands: Names,
    classes: Names,
) -> Misfit:
    """Load the weights that fit.

    Args:
        network: network with random weights.
        config: configuration of the network.

    Returns:
        What does not fit.

    Raises:
        RunError: nothing fits.
    """
    state = network.state_dict()
    more_bands = replace(config, bands=config.bands + 1)
    of_bands = _axes(network, more_bands, pretrained, here=bands, there=pretrained.bands)
    more_classes = replace(config, classes=config.classes + 1)
    of_classes = _axes(network, more_classes, pretrained, here=classes, there=pretrained.classes)
    taken, unmatched = {}, []
    for name, fresh in state.items():
        old = pretrained.weights.get(name)
        axes = [*of_bands.get(name, []), *of_classes.get(name, [])]
        moved = None if old is None else _moved(old, fresh, axes)
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
    new_classes = [f"class {name}" for name in _missing(classes, pretrained.classes)]
    return Misfit(
        random=(*_first(_layers(unmatched), "layers"), *new_classes),
        zero=tuple(_missing(bands, pretrained.bands)),
        lost=_first(
            _lost(
                [axis for name in taken for axis in of_bands.get(name, [])],
                gone=_missing(pretrained.bands, bands),
            ),
            "inputs",
        ),
    )


def _axes(
    network: JointNetwork,
    wider: NetworkConfig,
    pretrained: Pretrained,
    *,
    here: Names,
    there: Names,
) -> dict[str, list[Axis]]:
    """Find the axes of bands, or of classes, that differ, by the names of tensors.

    Args:
        wider: the network's configuration with one band, or class, more.
        here: bands or classes of the network.
        there: those of the weights; empty if unknown.
    """
    axes: dict[str, list[Axis]] = {}
    if not there or tuple(here) == tuple(there):
        return axes
    with torch.random.fork_rng(devices=[]):
        other = build_network(wider).state_dict()
    for name, tensor in network.state_dict().items():
        for number, size in enumerate(tensor.shape):
            if size != other[name].shape[number]:
                old = pretrained.weights.get(name)
                length = 0 if old is None or old.ndim <= number else old.shape[number]
                axis = Axis(number, _places(network, here, size), _places(network, there, length))
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
    return [f"{name.casefold()} {number} of {each}" for name in names for number in range(each)]


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
    """Name the layers of tensors."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in names))


def _missing(here: Names, there: Names) -> list[str]:
    """List the names that another list lacks; none if either is unknown."""
    known = {name.casefold() for name in there}
    return [name for name in here if known and name.casefold() not in known]


def _lost(axes: Sequence[Axis], *, gone: Names) -> list[str]:
    """List the inputs of the weights without a place here, except those of bands that are gone."""
    absent = [f" {band.casefold()} " for band in gone]
    return list(
        dict.fromkeys(
            name
            for axis in axes
            for name in axis.there
            if name not in axis.here and not any(band in f" {name} " for band in absent)
        )
    )


def _first(names: list[str], what: str) -> tuple[str, ...]:
    """Shorten a list to its first names, and count the rest."""
    more = [f"{len(names) - SHOWN} more {what}"] if len(names) > SHOWN else []
    return (*names[:SHOWN], *more)
