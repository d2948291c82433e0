"""Footprint: the memory that a network's values take while it runs.

The nodes are followed in the order in which they run. A value exists from the node that
makes it to the last that reads it, and the footprint is the largest sum of all that exist
at once. A runtime needs more: for its own copies in another layout, and because it does
not give everything back at once.
"""

import math
from collections import Counter

import onnx
from onnx import helper

from geosrseg.errors import ModelError
from geosrseg.runtime.values import dimensions, infer_values

IN_PLACE = frozenset({"Relu", "LeakyRelu", "PRelu", "Add", "Sub", "Mul", "Identity", "Reshape"})
"""Operators that write over an input which nothing else will read."""


def peak_bytes(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> int:
    """The bytes of all values that exist at once, at most, without the weights.

    Args:
        model: with one input image.
        shape: of the input, (N, bands, H, W).

    Raises:
        ModelError: the sizes of the network's values do not follow from its input's.
    """
    sizes = {name: _bytes(value) for name, value in infer_values(model, shape).items()}
    graph = model.graph
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(output.name for output in graph.output)  # which are never freed
    now = peak = sum(sizes.get(value.name, 0) for value in graph.input)
    for node in graph.node:
        made = sum(sizes.get(name, 0) for name in node.output)
        readers.subtract(node.input)
        freed = sum(sizes.get(name, 0) for name in set(node.input) if not readers[name])
        now += made
        peak = max(peak, now - (min(made, freed) if node.op_type in IN_PLACE else 0))
        now -= freed
    return peak


def _bytes(value: onnx.ValueInfoProto) -> int:
    kind = value.type.tensor_type.elem_type
    size = math.prod(dimensions(value))
    if not kind:
        raise ModelError(f"the type of its value {value.name} cannot be inferred")
    return size * helper.tensor_dtype_to_np_dtype(kind).itemsize
