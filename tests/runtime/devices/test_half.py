import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from geosrseg.errors import DeviceError
from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.runtime.devices.half import to_half
from tests.tiny_models import make_onnx, make_spec
from tests.tiny_networks import spec_of, tiny_config, tiny_network


def run(content, lr):
    """The CPU widens fp16 for each operator and rounds the result."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(["probabilities", "sr"], {"lr": lr})


def test_input_and_outputs_stay_float32():
    model = onnx.load_from_string(to_half(make_onnx(make_spec()).SerializeToString()))
    onnx.checker.check_model(model, full_check=True)
    ports = (*model.graph.input, *model.graph.output)
    assert {port.type.tensor_type.elem_type for port in ports} == {TensorProto.FLOAT}


def test_all_that_is_computed_is_fp16_but_the_probabilities():
    config = tiny_config(residual=True)
    content = build_onnx(tiny_network(config), spec_of(config)).SerializeToString()
    half = onnx.load_from_string(to_half(content))
    types = {value.name: value.type.tensor_type.elem_type for value in inferred(half)}
    floats = {name for name, kind in types.items() if kind == TensorProto.FLOAT}
    assert floats == {"probabilities", "probabilities/float32", "sr", "lr"}
    assert len(to_half(content)) < 0.65 * len(content)


def inferred(model):
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    return [*graph.value_info, *graph.output, *graph.input]


@pytest.mark.parametrize("factor", [2, 4])
def test_a_network_gives_nearly_the_same(factor):
    config = tiny_config(upscale_factor=factor)
    content = build_onnx(tiny_network(config), spec_of(config)).SerializeToString()
    lr = np.random.default_rng(0).random((1, 2, 64 // factor, 64 // factor), np.float32)
    probabilities, sr = run(to_half(content), lr)
    expected_probabilities, expected_sr = run(content, lr)
    assert probabilities.dtype == sr.dtype == np.float32
    assert np.allclose(sr, expected_sr, atol=0.01 * np.abs(expected_sr).max())
    assert not np.array_equal(sr, expected_sr)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-6)
    # the rounded image moves maxima, as in an untrained network nothing is certain
    assert np.median(np.abs(probabilities - expected_probabilities)) < 0.01


def one_node(op, inputs=("lr",), constants=None, **attributes):
    """Make a model of one node that computes ``probabilities``."""
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, None, None])
        for name in ("lr", "probabilities")
    ]
    arrays = [numpy_helper.from_array(a, name) for name, a in (constants or {}).items()]
    node = helper.make_node(op, list(inputs), ["probabilities"], **attributes)
    graph = helper.make_graph([node], "g", ports[:1], ports[1:], arrays)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def test_factors_of_a_resize_stay_float32():
    scales = np.array([1, 1, 2, 2], np.float32)
    model = one_node("Resize", ("lr", "", "scales"), {"scales": scales}, mode="nearest")
    half = onnx.load_from_string(to_half(model.SerializeToString()))
    onnx.checker.check_model(half, full_check=True)
    assert half.graph.initializer[0].data_type == TensorProto.FLOAT


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            one_node("Mul", ("lr", "w"), {"w": np.array([1e5], np.float32)}),
            "the constant w exceeds fp16: use `precision` fp32",
        ),
        (
            one_node("RandomNormalLike", dtype=TensorProto.FLOAT),
            "the operator RandomNormalLike has no fp16 form here",
        ),
    ],
)
def test_what_fp16_cannot_hold_is_refused(model, message):
    with pytest.raises(DeviceError, match=message):
        to_half(model.SerializeToString())
