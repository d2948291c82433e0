"""Estimates the memory that a network's values take while it runs.

A value exists from the node that makes it to the last node that reads it. The footprint is the
largest sum of all values that exist at once, in the order in which the nodes run. A runtime
needs more: for copies in another layout, and because it does not free everything at once. On CPUs
that layout has whole blocks of channels, so that an image of three can take the room of sixteen.
"""

import math
from collections import Counter

import onnx
from onnx import helper

from geosrseg.core.tiling.windows import round_up
from geosrseg.errors import ModelError
from geosrseg.runtime.values import dimensions, infer_values

IN_PLACE = frozenset({"Relu", "LeakyRelu", "PRelu", "Add", "Sub", "Mul", "Identity", "Reshape"})
"""Operators that overwrite an input which no later node reads."""


def peak_bytes(model: onnx.ModelProto, shape: tuple[int, int, int, int], *, block: int = 1) -> int:
    """Return the most bytes of all values at once for an input (N, bands, H, W), without weights.

    Args:
        block: channels to whose multiple the runtime fills up what a convolution gives.

    Raises:
        ModelError: the sizes of the network's values cannot be inferred from the input's.
    """
    graph = model.graph
    blocked = _blocked(graph)
    sizes = {
        name: _bytes(value, block=block if name in blocked else 1)
        for name, value in infer_values(model, shape).items()
    }
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(output.name for output in graph.output)  # outputs are never freed
    now = peak = sum(sizes.get(value.name, 0) for value in graph.input)
    for node in graph.node:
        made = sum(sizes.get(name, 0) for name in node.output)
        readers.subtract(node.input)
        freed = sum(sizes.get(name, 0) for name in set(node.input) if not readers[name])
        now += made
        peak = max(peak, now - (min(made, freed) if node.op_type in IN_PLACE else 0))
        now -= freed
    return peak


def _blocked(graph: onnx.GraphProto) -> set[str]:
    """Name what convolutions give, and what is computed from that alone, value by value."""
    constants = {each.name for each in graph.initializer}
    blocked: set[str] = set()
    for node in graph.node:
        read = set(node.input) - constants
        if node.op_type == "Conv" or (node.op_type in IN_PLACE and read <= blocked):
            blocked.update(node.output)
    return blocked


def _bytes(value: onnx.ValueInfoProto, *, block: int) -> int:
    kind = value.type.tensor_type.elem_type
    sides = dimensions(value)
    size = math.prod(
        round_up(side, block) if axis == 1 else side for axis, side in enumerate(sides)
    )
    if not kind:
        raise ModelError(f"the type of its value {value.name} cannot be inferred")
    return size * helper.tensor_dtype_to_np_dtype(kind).itemsize
