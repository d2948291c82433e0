"""Counts the multiplications that a network needs on any runtime.

Only convolutions and matrix products count: all others need very few. An addition follows each
of their multiplications, so the number of floating-point operations is twice as large.
"""

import math
from collections.abc import Mapping

import onnx

from geosrseg.runtime.values import dimensions, infer_values


def multiply_adds(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> int:
    """Return the multiply-accumulate operations (MACs) for an input of shape (N, bands, H, W).

    Taps beyond an image's border count too, since runtimes multiply them.

    Raises:
        ModelError: the sizes of the network's values cannot be inferred from the input's.
    """
    graph = model.graph
    sizes = {name: dimensions(value) for name, value in infer_values(model, shape).items()}
    sizes |= {array.name: tuple(array.dims) for array in graph.initializer}
    return sum(_of_node(node, sizes) for node in graph.node)


def _of_node(node: onnx.NodeProto, sizes: Mapping[str, tuple[int, ...]]) -> int:
    if node.op_type in ("Conv", "ConvTranspose"):
        # Kernels are (outputs, inputs / groups, rows, cols), applied at each output, or for
        # ConvTranspose (inputs, outputs / groups, rows, cols), applied at each input.
        place = node.output[0] if node.op_type == "Conv" else node.input[0]
        return math.prod(sizes[place]) * math.prod(sizes[node.input[1]][1:])
    if node.op_type == "MatMul":
        return math.prod(sizes[node.output[0]]) * sizes[node.input[0]][-1]
    if node.op_type == "Gemm":
        transposed = any(item.name == "transA" and item.i for item in node.attribute)
        return math.prod(sizes[node.output[0]]) * sizes[node.input[0]][0 if transposed else 1]
    return 0
