"""Arithmetic: how many multiplications a network needs, whoever runs it.

Counted are the operators in which all but a few are done: convolutions and matrix products.
A multiplication goes with an addition there, so the floating-point operations are twice as
many.
"""

import math
from collections.abc import Mapping

import onnx

from geosrseg.runtime.values import dimensions, infer_values


def multiply_adds(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> int:
    """Multiplications that are followed by an addition (MACs), for one run.

    Taps that lie beyond an image's border count too, as runtimes multiply them.

    Args:
        model: with one input image.
        shape: of the input, (N, bands, H, W).

    Raises:
        ModelError: the sizes of the network's values do not follow from its input's.
    """
    graph = model.graph
    sizes = {name: dimensions(value) for name, value in infer_values(model, shape).items()}
    sizes |= {array.name: tuple(array.dims) for array in graph.initializer}
    return sum(_of_node(node, sizes) for node in graph.node)


def _of_node(node: onnx.NodeProto, sizes: Mapping[str, tuple[int, ...]]) -> int:
    if node.op_type == "Conv":  # (outputs, inputs / groups, rows, cols), at each output
        return math.prod(sizes[node.output[0]]) * math.prod(sizes[node.input[1]][1:])
    if node.op_type == "ConvTranspose":  # (inputs, outputs / groups, rows, cols), at each input
        return math.prod(sizes[node.input[0]]) * math.prod(sizes[node.input[1]][1:])
    if node.op_type == "MatMul":
        return math.prod(sizes[node.output[0]]) * sizes[node.input[0]][-1]
    if node.op_type == "Gemm":
        transposed = any(item.name == "transA" and item.i for item in node.attribute)
        return math.prod(sizes[node.output[0]]) * sizes[node.input[0]][0 if transposed else 1]
    return 0
