"""Footprint: the memory that a network's values take while it runs.

The nodes are followed in the order in which they run. A value exists from the node that
makes it to the last that reads it, and the footprint is the largest sum of all that exist
at once. A runtime needs more: for its own copies in another layout, and because it does
not give everything back at once.
"""

import math
from collections import Counter

import onnx
from onnx import TensorProto, helper, shape_inference

from geosrseg.errors import ModelError

SMALL = 1024
"""Bytes of the constants that shapes may depend on; larger ones are weights."""

IN_PLACE = frozenset({"Relu", "LeakyRelu", "PRelu", "Add", "Sub", "Mul", "Identity", "Reshape"})
"""Operators that write over an input which nothing else will read."""


def peak_bytes(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> int:
    """The bytes of all values that exist at once, at most, without the weights.

    Args:
        model: with one input image.
        shape: (N, bands, H, W) of it.

    Raises:
        ModelError: the sizes of the network's values do not follow from its input's.
    """
    sizes = _value_bytes(model, shape)
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


def _value_bytes(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> dict[str, int]:
    """The bytes of every value that a node makes and of the input."""
    skeleton = _without_weights(model, shape)
    _check_shapes(skeleton)
    inferred = _infer(skeleton, with_data=True)
    known = {value.name: _bytes(value) for value in (*inferred.value_info, *inferred.output)}
    known[skeleton.graph.input[0].name] = _bytes(skeleton.graph.input[0])
    return known


def _infer(model: onnx.ModelProto, *, with_data: bool) -> onnx.GraphProto:
    """The graph with the size of every value, as far as it follows from the input's.

    Args:
        model: a graph without weights.
        with_data: follow what is in the values that are shapes.
    """
    try:
        return shape_inference.infer_shapes(model, strict_mode=with_data, data_prop=with_data).graph
    except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"the sizes of its values cannot be inferred ({reason})") from error


def _check_shapes(model: onnx.ModelProto) -> None:
    """Refuse shapes that double and double: what is in them would be followed into all memory."""
    joined = {name for node in model.graph.node if node.op_type == "Concat" for name in node.output}
    for value in _infer(model, with_data=False).value_info:
        tensor = value.type.tensor_type
        sizes = [size.dim_value for size in tensor.shape.dim]
        is_whole = tensor.elem_type in (TensorProto.INT32, TensorProto.INT64)
        if value.name in joined and is_whole and len(sizes) == 1 and sizes[0] > SMALL:
            raise ModelError(f"its value {value.name} joins {sizes[0]} numbers: expected a shape")


def _without_weights(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> onnx.ModelProto:
    """The graph for an input of this shape, its weights being inputs of a known shape."""
    graph = model.graph
    if len(graph.input) != 1:
        raise ModelError(f"it has {len(graph.input)} inputs: expected one")
    weights = [array for array in graph.initializer if len(array.raw_data) > SMALL]
    names = {array.name for array in weights}
    lr = helper.make_tensor_value_info(graph.input[0].name, TensorProto.FLOAT, shape)
    inputs = [helper.make_tensor_value_info(w.name, w.data_type, list(w.dims)) for w in weights]
    outputs = [
        helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, None)
        for value in graph.output
    ]
    constants = [array for array in graph.initializer if array.name not in names]
    light = helper.make_graph(list(graph.node), graph.name, [lr, *inputs], outputs, constants)
    return helper.make_model(light, opset_imports=model.opset_import, ir_version=model.ir_version)


def _bytes(value: onnx.ValueInfoProto) -> int:
    tensor = value.type.tensor_type
    sizes = [size.dim_value for size in tensor.shape.dim]
    if not all(size.HasField("dim_value") for size in tensor.shape.dim):
        raise ModelError(f"the size of its value {value.name} cannot be inferred")
    if not tensor.elem_type:
        raise ModelError(f"the type of its value {value.name} cannot be inferred")
    return math.prod(sizes) * helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
