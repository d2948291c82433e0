"""Infers the type and size of every value of a network for an input of a given size."""

import onnx
from onnx import TensorProto, helper, shape_inference

from geosrseg.errors import ModelError

SMALL = 1024
"""Most bytes of a constant that shapes may depend on; larger ones are weights."""


def infer_values(
    model: onnx.ModelProto, shape: tuple[int, int, int, int]
) -> dict[str, onnx.ValueInfoProto]:
    """Return the input (N, bands, H, W) and the outputs of all nodes, by name.

    Raises:
        ModelError: the sizes of the network's values cannot be inferred from the input's.
    """
    skeleton = _without_weights(model, shape)
    _check_shapes(skeleton)
    inferred = _infer(skeleton, with_data=True)
    image = skeleton.graph.input[0]
    return {value.name: value for value in (*inferred.value_info, *inferred.output, image)}


def dimensions(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """Return the size of a value along each axis.

    Raises:
        ModelError: the size cannot be inferred.
    """
    sizes = value.type.tensor_type.shape.dim
    if not all(size.HasField("dim_value") for size in sizes):
        raise ModelError(f"the size of its value {value.name} cannot be inferred")
    return tuple(size.dim_value for size in sizes)


def _infer(model: onnx.ModelProto, *, with_data: bool) -> onnx.GraphProto:
    """Return the graph with all sizes that can be inferred.

    Args:
        model: a graph without weights.
        with_data: follow the content of values that are shapes, and fail if a size is unknown.
    """
    try:
        return shape_inference.infer_shapes(model, strict_mode=with_data, data_prop=with_data).graph
    except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"the sizes of its values cannot be inferred ({reason})") from error


def _check_shapes(model: onnx.ModelProto) -> None:
    """Refuse shapes that grow by repeated doubling: following their content exhausts memory."""
    joined = {name for node in model.graph.node if node.op_type == "Concat" for name in node.output}
    for value in _infer(model, with_data=False).value_info:
        tensor = value.type.tensor_type
        sizes = [size.dim_value for size in tensor.shape.dim]
        is_whole = tensor.elem_type in (TensorProto.INT32, TensorProto.INT64)
        if value.name in joined and is_whole and len(sizes) == 1 and sizes[0] > SMALL:
            raise ModelError(f"its value {value.name} joins {sizes[0]} numbers: expected a shape")


def _without_weights(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> onnx.ModelProto:
    """Return the graph for an input of this shape, with inputs in place of the weights."""
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
