"""Estimates the memory that a network's values take while it runs.

A value exists from the node that makes it to the last node that reads it. The footprint is the
largest sum of all values that exist at once, in the order in which the nodes run. A runtime
needs more: for copies in another layout, and because it does not free everything at once.
"""

import math
from collections import Counter

import onnx
from onnx import helper

from geosrseg.errors import ModelError
from geosrseg.runtime.values import dimensions, infer_values

IN_PLACE = frozenset({"Relu", "LeakyRelu", "PRelu", "Add", "Sub", "Mul", "Identity", "Reshape"})
"""Operators that overwrite an input which no later node reads."""


def peak_bytes(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> int:
    """Return the most bytes of all values at once for an input (N, bands, H, W), without weights.

    Raises:
        ModelError: the sizes of the network's values cannot be inferred from the input's.
    """
    sizes = {name: _bytes(value) for name, value in infer_values(model, shape).items()}
    graph = model.graph
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


def _bytes(value: onnx.ValueInfoProto) -> int:
    kind = value.type.tensor_type.elem_type
    size = math.prod(dimensions(value))
    if not kind:
        raise ModelError(f"the type of its value {value.name} cannot be inferred")
    return size * helper.tensor_dtype_to_np_dtype(kind).itemsize
