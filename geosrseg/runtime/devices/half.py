"""Converts a network to fp16; its input and outputs stay float32."""

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from geosrseg.errors import DeviceError

FLOAT32_INPUTS = {"Resize": (1, 2)}
"""Indices of inputs that must stay float32."""

KEPT_IN_FLOAT32 = frozenset({"Softmax"})
"""Probabilities of fp16 would not sum to 1, and their classes would tie."""


def to_half(content: bytes) -> bytes:
    """Convert the weights and values of a model file to fp16, except for the probabilities.

    Raises:
        DeviceError: a weight is too large for fp16, or the conversion of an operator is not
            implemented.
    """
    model = onnx.load_from_string(content)
    graph = model.graph
    kept = {
        node.input[index]
        for node in graph.node
        for index in FLOAT32_INPUTS.get(node.op_type, ())
        if index < len(node.input)
    }
    for array in graph.initializer:
        if array.data_type == TensorProto.FLOAT and array.name not in kept:
            array.CopyFrom(_half_array(array))
    names = {value.name: f"{value.name}/half" for value in graph.input}
    nodes = [_cast(name, half, TensorProto.FLOAT16) for name, half in names.items()]
    outputs = {value.name for value in graph.output}
    for node in graph.node:
        nodes += _half_node(node, names, outputs)
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    return model.SerializeToString()


def _half_node(node: NodeProto, names: dict[str, str], outputs: set[str]) -> list[NodeProto]:
    """Return a node with the casts before and after it; `names` maps values to their fp16 form."""
    node.input[:] = [names.get(name, name) for name in node.input]
    _check_attributes(node)
    for attribute in node.attribute:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        elif attribute.HasField("t") and attribute.t.data_type == TensorProto.FLOAT:
            attribute.t.CopyFrom(_half_array(attribute.t))
    before, behind = [], []
    float32 = node.op_type in KEPT_IN_FLOAT32
    if float32:
        wide = f"{node.output[0]}/float32"
        before.append(_cast(node.input[0], wide, TensorProto.FLOAT))
        node.input[0] = wide
    for index, name in enumerate(node.output):
        half = f"{name}/half"
        if float32:
            behind.append(_cast(name, half, TensorProto.FLOAT16))
        elif name in outputs:
            node.output[index] = half
            behind.append(_cast(half, name, TensorProto.FLOAT))
        else:
            continue
        names[name] = half
    return [*before, node, *behind]


def _check_attributes(node: NodeProto) -> None:
    """Refuse operators with a type or a subgraph as attribute, which are not converted."""
    holds_type = any(item.name == "dtype" for item in node.attribute)
    holds_graph = any(item.HasField("g") or item.graphs for item in node.attribute)
    if holds_type or holds_graph:
        raise DeviceError(f"the operator {node.op_type} has no fp16 form here: use fp32")


def _half_array(array: TensorProto) -> TensorProto:
    values = numpy_helper.to_array(array)
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if not np.isfinite(half).all():
        raise DeviceError(f"the constant {array.name} exceeds fp16: use `precision` fp32")
    return numpy_helper.from_array(half, array.name)


def _cast(name: str, other: str, to: int) -> NodeProto:
    return helper.make_node("Cast", [name], [other], name=f"{other}/cast", to=to)
