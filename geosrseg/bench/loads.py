"""Benchmark loads that do not need PyTorch: sessions and matrix products."""

from collections.abc import Callable
from importlib import import_module

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from geosrseg.core.precision import Precision
from geosrseg.runtime.session import open_session

PRODUCTS = 4
"""Matrix products in a row, which make the single conversion of the input negligible."""


def load_session(model: str, device: str, precision: str, window: int) -> Callable[[], object]:
    """Return a run of a model file on one random window, `window` LR pixels square."""
    session = open_session(model, device=device, precision=precision)
    random = np.random.default_rng(0)
    lr = random.random((1, len(session.spec.bands), window, window), np.float32)
    return lambda: session.run(lr)


def load_numpy_product(side: int) -> Callable[[], object]:
    """Return one product of two square float32 matrices."""
    left, right = np.random.default_rng(0).random((2, side, side), np.float32)
    out = np.empty_like(left)
    return lambda: np.matmul(left, right, out=out)


def load_openvino_product(side: int, precision: Precision) -> Callable[[], object]:
    """Return `PRODUCTS` successive products of a square matrix with a constant one."""
    openvino = import_module("openvino")
    right = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    right /= np.sqrt(side)  # keeps the values in range
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [side, side])
        for name in ("x0", f"x{PRODUCTS}")
    ]
    nodes = [helper.make_node("MatMul", [f"x{i}", "w"], [f"x{i + 1}"]) for i in range(PRODUCTS)]
    graph = helper.make_graph(
        nodes, "products", ends[:1], ends[1:], [numpy_helper.from_array(right, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    hint = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16, "fp16": openvino.Type.f16}
    compiled = openvino.Core().compile_model(
        openvino.Core().read_model(model.SerializeToString()),
        "CPU",
        {"INFERENCE_PRECISION_HINT": hint[precision], "PERFORMANCE_HINT": "LATENCY"},
    )
    request = compiled.create_infer_request()
    return lambda: request.infer({0: right}, share_inputs=True)
