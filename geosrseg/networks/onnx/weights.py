"""Reads the weights of a model file back into the network that it was written from.

A graph does not name layers; batch normalizations are folded into convolutions, and
deconvolutions are rewritten. So the network is written three times more with marked weights: in
one graph each tensor holds its number, in the two others the indices of its elements, as a
multiple of `ROW` and the rest. The place of a mark in these graphs is the place of the weight in
the file.

Folding destroys the statistics of batch normalizations. They get a mean of 0 and a deviation of
1, with which the network computes exactly the same as the file. To train it, the statistics
must be measured, see `training.starting.statistics`.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.graph import build_graph

FIRST_MARK = 1000
"""Mark of the first tensor, above all other numbers in a graph."""

ROW = 4096
"""Elements per row of a tensor's indices: a float32 cannot hold an index of 2**24 and more."""

ROUNDING = 1e-3
"""Largest relative difference of a mark from a whole number."""

SLOPE = "alpha"
"""Attribute of a node that holds a weight, the slope of a PReLU."""

Array = NDArray[np.float64]


def read_weights(network: JointNetwork, model: onnx.ModelProto) -> dict[str, Tensor]:
    """Read the state of a network from a model file written from a network of its kind.

    Args:
        network: network with the file's bands, classes and upscale factor; it is not changed.

    Raises:
        ValueError: the file was written from another network, or from a traced one, whose weights
            cannot be told apart.
    """
    template = copy.deepcopy(network).cpu().double().eval()
    with torch.no_grad():
        _set_neutral(template)
        free = dict(_free(template))
        numbered, rows, columns = (
            _marked(template, free, mark)
            for mark in (
                lambda number, weights: torch.full_like(weights, FIRST_MARK + number),
                lambda _, weights: torch.arange(weights.numel()).view_as(weights) // ROW,
                lambda _, weights: torch.arange(weights.numel()).view_as(weights) % ROW,
            )
        )
    names = list(free)
    found: dict[str, NDArray[np.float32]] = {}
    for value, number, row, column in zip(
        *(_constants(graph, template=numbered) for graph in (model.graph, numbered, rows, columns)),
        strict=True,
    ):
        if value.shape != number.shape:
            raise ValueError(f"it has weights of {value.shape}, the network {number.shape}")
        if (name := _named(number, names)) is not None:
            elements = found.setdefault(name, np.zeros(free[name].numel(), np.float32))
            place = np.rint(row) * ROW + np.rint(column)
            elements[place.astype(np.int64).ravel()] = value.ravel()
    if lost := [name for name in names if name not in found]:
        raise ValueError(f"the weights {lost[0]} cannot be told from others")
    read = {name: torch.from_numpy(found[name]).view(free[name].shape) for name in names}
    return {name: value.float() for name, value in template.state_dict().items()} | read


def _set_neutral(network: nn.Module) -> None:
    """Reduce batch normalizations to adding their bias."""
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
            assert norm.running_var is not None  # noqa: S101 - reset_running_stats needs it
            norm.running_var.fill_(1 - norm.eps)
            nn.init.ones_(norm.weight)
    for conv, _ in _normalized(network):
        if conv.bias is not None:
            nn.init.zeros_(conv.bias)


def _normalized(network: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Yield convolutions with the batch normalizations that are folded into them."""
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for first, second in pairwise(module):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    yield first, second


def _free(network: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the parameters that a graph contains; `_set_neutral` sets the others."""
    fixed = {id(norm.weight) for norm in network.modules() if isinstance(norm, nn.BatchNorm2d)}
    fixed |= {id(conv.bias) for conv, _ in _normalized(network)}
    for name, parameter in network.named_parameters():
        if id(parameter) not in fixed:
            yield name, parameter


def _marked(
    network: JointNetwork,
    free: Mapping[str, nn.Parameter],
    mark: Callable[[int, Tensor], Tensor],
) -> onnx.GraphProto:
    """Write the network's graph with marks in place of its weights."""
    for number, weights in enumerate(free.values()):
        weights.copy_(mark(number, weights))
    return build_graph(network)


def _constants(graph: onnx.GraphProto, *, template: onnx.GraphProto) -> Iterator[Array]:
    """Yield every float constant and every slope, in the order of the nodes.

    Raises:
        ValueError: the graph has other nodes than the template.
    """
    values = {each.name: each for each in graph.initializer}
    if len(graph.node) != len(template.node):
        raise ValueError(f"it has {len(graph.node)} nodes, the network {len(template.node)}")
    for node, expected in zip(graph.node, template.node, strict=True):
        if _form(node) != _form(expected):
            raise ValueError(f"it has {node.op_type} where the network has {expected.op_type}")
        for name in node.input:
            if name in values and values[name].data_type == onnx.TensorProto.FLOAT:
                yield numpy_helper.to_array(values[name]).astype(np.float64)
        for attribute in node.attribute:
            if attribute.name == SLOPE:
                yield np.array([attribute.f], np.float64)


def _form(node: onnx.NodeProto) -> tuple[object, ...]:
    """Describe a node without its weights."""
    fixed = sorted(
        (attribute.name, attribute.SerializeToString())
        for attribute in node.attribute
        if attribute.name != SLOPE
    )
    return node.op_type, len(node.input), fixed


def _named(number: Array, names: list[str]) -> str | None:
    """Name the tensor that a constant of the numbered graph comes from, if any."""
    mark = float(number.flat[0]) if number.size else 0.0
    index = round(mark) - FIRST_MARK
    if not 0 <= index < len(names) or np.abs(number - round(mark)).max() > ROUNDING * mark:
        return None
    return names[index]
