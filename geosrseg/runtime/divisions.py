"""Rejects networks whose integer divisions could crash the process.

On most processors an integer division by 0, or of the smallest integer by -1, ends the process,
and the runtimes do not check. A trial run covers only the numbers of the trial, so the divisors
must be constants.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from geosrseg.errors import ModelError
from geosrseg.runtime.values import infer_values

DIVIDING = ("Div", "Mod")

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)


def check_divisions(model: onnx.ModelProto, shape: tuple[int, int, int, int]) -> None:
    """Reject a network whose integer divisors may be 0 or -1, for an input (N, bands, H, W).

    Raises:
        ModelError: a divisor is unsafe, or the types of the values cannot be inferred.
    """
    dividing = [node for node in model.graph.node if node.op_type in DIVIDING]
    if not dividing:
        return
    constants, values = _constants(model.graph), infer_values(model, shape)
    for node in dividing:
        made = values.get(node.output[0])
        if made is not None and made.type.tensor_type.elem_type in FLOATS:
            continue
        divisor = constants.get(node.input[1])
        if divisor is None or np.isin(divisor, (0, -1)).any():
            raise ModelError(
                f"it divides whole numbers by {node.input[1][:60]!r}, which may be 0 or -1: "
                "expected a constant that is neither"
            )


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.generic]]:
    found = {array.name: numpy_helper.to_array(array) for array in graph.initializer}
    for node in graph.node:
        for item in node.attribute if node.op_type == "Constant" else ():
            value = helper.get_attribute_value(item)
            is_tensor = isinstance(value, TensorProto)
            found[node.output[0]] = numpy_helper.to_array(value) if is_tensor else np.array(value)
    return found
