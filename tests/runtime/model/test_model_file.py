"""Tests that unsafe model files are refused, each with a reason of one line."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from geosrseg.core.spec import SPEC_KEY, ModelSpec
from geosrseg.errors import ModelError
from geosrseg.runtime.devices.device import Device
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.session import open_session
from tests.tiny_models import make_onnx, make_spec


def refusal(tmp_path: Path, model: onnx.ModelProto | bytes) -> str:
    """Return the message with which a model file is refused."""
    path = tmp_path / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(ModelError) as caught:
        open_session(path, device="cpu")
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def lie(spec=None, **changes) -> onnx.ModelProto:
    """Make the tiny model with a changed ModelSpec."""
    model = make_onnx(spec or make_spec())
    helper.set_model_props(model, {SPEC_KEY: make_spec(**changes).to_json()})
    return model


def external() -> onnx.TensorProto:
    tensor = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"II*\0" + bytes(100), b"<html></html>", bytes(range(256))]
)
def test_what_is_no_onnx(tmp_path, content):
    assert "expected FILE.onnx" in refusal(tmp_path, content)


def test_a_truncated_file(tmp_path):
    content = make_onnx(make_spec()).SerializeToString()
    for length in range(0, len(content), 97):
        refusal(tmp_path, content[:length])


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ModelError, match="cannot be read: is not a regular file"):
        read_model_file(tmp_path)


def test_external_data_in_an_initializer(tmp_path):
    model = make_onnx(make_spec())
    model.graph.initializer.append(external())
    assert "weights are in another file" in refusal(tmp_path, model)


def test_external_data_by_its_location_alone(tmp_path):
    model = make_onnx(make_spec())
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    assert "weights are in another file" in refusal(tmp_path, model)


def test_external_data_in_a_constant(tmp_path):
    model = make_onnx(make_spec())
    model.graph.node.append(helper.make_node("Constant", [], ["far"], value=external()))
    assert "weights are in another file" in refusal(tmp_path, model)


@pytest.mark.parametrize("operator", ["If", "Loop", "Scan", "SequenceMap"])
def test_control_flow(tmp_path, operator):
    model = make_onnx(make_spec())
    inner = helper.make_graph([helper.make_node("Identity", ["lr"], ["y"])], "inner", [], [])
    model.graph.node.append(helper.make_node(operator, ["lr"], ["y"], body=inner))
    assert f"it has the operator '{operator}'" in refusal(tmp_path, model)


def test_subgraphs_whatever_the_operator(tmp_path):
    model = make_onnx(make_spec())
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("Identity", ["lr"], ["y"], body=inner))
    assert "it has subgraphs: expected operators and weights only" in refusal(tmp_path, model)
    del model.graph.node[-1]
    model.graph.node.append(helper.make_node("Identity", ["lr"], ["y"], bodies=[inner]))
    assert "it has subgraphs" in refusal(tmp_path, model)


def test_functions_which_could_unfold_without_end(tmp_path):
    model = make_onnx(make_spec())
    node = helper.make_node("Identity", ["x"], ["y"])
    model.functions.append(helper.make_function("", "f", ["x"], ["y"], [node], model.opset_import))
    assert "it has functions" in refusal(tmp_path, model)


def test_sparse_weights(tmp_path):
    model = make_onnx(make_spec())
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(external(), external(), [9]))
    assert "it has sparse weights" in refusal(tmp_path, model)


def test_instructions_for_training(tmp_path):
    model = make_onnx(make_spec())
    model.training_info.add()
    assert "it has training instructions" in refusal(tmp_path, model)


@pytest.mark.parametrize("dims", [[10**9, 10**9], [3, 3, 1, 2], [3, 3, 1, -1], [1] * 17, []])
def test_a_shape_that_its_weights_do_not_fill(tmp_path, dims):
    model = make_onnx(make_spec())
    model.graph.initializer[0].dims[:] = dims
    assert "is refused: it has weights of the shape [" in refusal(tmp_path, model)


@pytest.mark.parametrize("data_type", [TensorProto.STRING, TensorProto.COMPLEX64, 0, 99])
def test_weights_that_are_no_numbers(tmp_path, data_type):
    model = make_onnx(make_spec())
    model.graph.initializer[0].data_type = data_type
    assert f"weights of the data type {data_type}: expected numbers" in refusal(tmp_path, model)


def test_weights_in_every_form_that_onnx_has_are_read(tmp_path):
    model = make_onnx(make_spec())
    for kind, values in [
        (TensorProto.FLOAT, [0.5, -1.0]),
        (TensorProto.DOUBLE, [0.5, -1.0]),
        (TensorProto.INT64, [300, -1]),
        (TensorProto.INT32, [300, -1]),
        (TensorProto.FLOAT16, [0.5, -1.0]),
        (TensorProto.BFLOAT16, [0.5, -1.0]),
        (TensorProto.BOOL, [True, False]),
        (TensorProto.INT8, [100, -1]),
        (TensorProto.UINT64, [300, 1]),
    ]:
        for raw in (False, True):
            array = np.array(values, helper.tensor_dtype_to_np_dtype(kind))
            content = array.tobytes() if raw else values
            tensor = helper.make_tensor(f"{kind} {raw}", kind, [2], content, raw=raw)
            model.graph.initializer.append(tensor)
    empty = helper.make_tensor("none", TensorProto.FLOAT, [0], [])
    model.graph.initializer.append(empty)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    assert read_model_file(path).spec == make_spec()


def test_a_flood_of_fields(tmp_path, monkeypatch):
    monkeypatch.setattr("geosrseg.runtime.model.model_file.MAX_FIELDS", 40)
    content = make_onnx(make_spec()).SerializeToString()
    assert "more than 40 fields" in refusal(tmp_path, content)


def test_a_name_without_end_is_cut(tmp_path):
    model = make_onnx(make_spec())
    model.graph.node[0].op_type = "A" * 10_000
    assert len(refusal(tmp_path, model)) < 500


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_changed_anywhere_give_a_model_or_an_error(tmp_path, data):
    content = bytearray(make_onnx(make_spec()).SerializeToString())
    for _ in range(data.draw(st.integers(1, 8))):
        begin = data.draw(st.integers(0, len(content)))
        content[begin : begin + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with suppress(ModelError):
        assert isinstance(read_model_file(path).spec, ModelSpec)


def test_operators_of_another_domain(tmp_path):
    model = make_onnx(make_spec())
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    assert "operators of 'com.example'" in refusal(tmp_path, model)
    model = make_onnx(make_spec())
    model.graph.node[0].domain = "com.example"
    assert "operators of 'com.example'" in refusal(tmp_path, model)


def test_no_model_spec(tmp_path):
    model = make_onnx(make_spec())
    del model.metadata_props[:]
    assert "holds no ModelSpec: make model files with `geosrseg export`" in refusal(tmp_path, model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec_version": 2}, "upgrade geosrseg"),
        ({"upscale_factor": 0}, "upscale factor is 1 to 16, got 0"),
        ({"bands": []}, "bands"),
        ({"multiple": 10**9}, "the window multiple is 1 to 1024"),
        ({"legend": "none"}, "legend"),
    ],
)
def test_a_model_spec_that_is_not_valid(tmp_path, change, message):
    model = make_onnx(make_spec())
    values = json.loads(make_spec().to_json()) | change
    helper.set_model_props(model, {SPEC_KEY: json.dumps(values)})
    assert message in refusal(tmp_path, model)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"bands": 4}, "lr has 3 channels: the ModelSpec says 4"),
        ({"classes": 5}, "the ModelSpec says (2, 5, 32, 64)"),
        ({"upscale_factor": 2}, "the ModelSpec says (2, 3, 16, 32)"),
        ({"multiple": 1024, "window_size": 1024}, "within 2048 target pixels"),
    ],
)
def test_a_model_spec_that_lies(tmp_path, spec, message):
    assert message in refusal(tmp_path, lie(**spec))


def test_other_names(tmp_path):
    model = make_onnx(make_spec())
    model.graph.input[0].name = "image"
    for node in model.graph.node:
        node.input[:] = ["image" if name == "lr" else name for name in node.input]
    assert "the inputs are image: expected lr alone" in refusal(tmp_path, model)
    model = make_onnx(make_spec())
    del model.graph.output[1]
    assert "the outputs are probabilities: expected" in refusal(tmp_path, model)


def test_a_fixed_size(tmp_path):
    model = make_onnx(make_spec())
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 8
    assert "expected any N, H and W" in refusal(tmp_path, model)


def test_another_type(tmp_path):
    model = make_onnx(make_spec())
    model.graph.node[-1].output[0] = "sr32"
    model.graph.node.append(helper.make_node("Cast", ["sr32"], ["sr"], to=TensorProto.DOUBLE))
    model.graph.output[1].type.tensor_type.elem_type = TensorProto.DOUBLE
    assert "sr is float64: expected float32" in refusal(tmp_path, model)


def test_logits_in_place_of_probabilities(tmp_path):
    model = make_onnx(make_spec())
    model.graph.node[1].op_type = "Identity"
    del model.graph.node[1].attribute[:]
    assert "expected a softmax" in refusal(tmp_path, model)


def test_probabilities_that_are_no_numbers(tmp_path):
    model = make_onnx(make_spec())
    bias = np.full(3, np.nan, np.float32)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(bias, "bias"))
    assert "expected a softmax" in refusal(tmp_path, model)


def test_a_graph_that_does_not_load(tmp_path):
    model = make_onnx(make_spec())
    model.graph.node[0].op_type = "NoSuchOperator"
    assert "it has the operator 'NoSuchOperator'" in refusal(tmp_path, model)
    model.graph.node[0].op_type = "Add"  # of three inputs
    assert "the sizes of its values cannot be inferred" in refusal(tmp_path, model)
    model = make_onnx(make_spec())
    model.ir_version = 1000
    assert "it cannot be loaded" in refusal(tmp_path, model)


def test_a_graph_that_does_not_run(tmp_path):
    model = make_onnx(make_spec())
    wrong = np.zeros((3, 3, 99, 99), np.float32)  # larger than the smallest window
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(wrong, "weight"))
    assert "it does not run" in refusal(tmp_path, model)


class TestBombs:
    """Graphs that would take all memory or time if a trial ran them."""

    def bomb(self, *nodes, **constants) -> onnx.ModelProto:
        """Make the tiny model with nodes that compute a value `x`, which its output depends on."""
        model = make_onnx(make_spec())
        model.graph.node[-1].output[0] = "quiet"
        model.graph.node.extend(nodes)
        model.graph.node.append(helper.make_node("ReduceMax", ["x"], ["top"], keepdims=0))
        model.graph.node.append(helper.make_node("Mul", ["quiet", "top"], ["sr"]))
        for name, value in constants.items():
            model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
        return model

    @pytest.mark.parametrize("operator", ["ConstantOfShape", "Expand", "Tile", "Pad", "Resize"])
    def test_a_value_of_many_gigabytes(self, tmp_path, operator):
        size = [100_000, 100_000]
        node = helper.make_node
        nodes = {
            "ConstantOfShape": node("ConstantOfShape", ["size"], ["x"]),
            "Expand": node("Expand", ["one", "size"], ["x"]),
            "Tile": node("Tile", ["one", "size"], ["x"]),
            "Pad": node("Pad", ["one", "both"], ["x"]),
            "Resize": node("Resize", ["one", "", "", "size"], ["x"]),
        }
        model = self.bomb(
            nodes[operator], size=size, one=np.ones((1, 1), np.float32), both=[0, 0, *size]
        )
        assert "GiB for its smallest window: expected at most 8" in refusal(tmp_path, model)

    def test_a_value_that_grows_with_the_window(self, tmp_path):
        node = helper.make_node
        model = self.bomb(
            node("Flatten", ["lr"], ["row"], axis=0),
            node("Transpose", ["row"], ["column"]),
            node("Tile", ["column", "copies"], ["tall"]),
            node("Mul", ["tall", "row"], ["x"]),
            copies=[10_000, 1],
        )
        assert "GiB for its smallest window" in refusal(tmp_path, model)

    def test_a_shape_that_is_doubled_again_and_again(self, tmp_path):
        doubled = [
            helper.make_node("Concat", [f"s{i}", f"s{i}"], [f"s{i + 1}"], axis=0) for i in range(40)
        ]
        model = self.bomb(*doubled, helper.make_node("ConstantOfShape", ["s40"], ["x"]), s0=[1])
        assert "joins 2048 numbers: expected a shape" in refusal(tmp_path, model)

    def test_a_value_whose_size_depends_on_the_pixels(self, tmp_path):
        model = self.bomb(
            helper.make_node("Cast", ["lr"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Flatten", ["whole"], ["flat"], axis=0),
            helper.make_node("Squeeze", ["flat"], ["size"]),
            helper.make_node("ConstantOfShape", ["size"], ["x"]),
        )
        assert "cannot be inferred" in refusal(tmp_path, model)

    def test_a_run_without_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Device, "loading_seconds", 0.3)
        chain = [helper.make_node("MatMul", [f"m{i}", "m0"], [f"m{i + 1}"]) for i in range(400)]
        model = self.bomb(
            helper.make_node("ReduceMax", ["lr"], ["one"], keepdims=0),
            helper.make_node("Expand", ["one", "size"], ["m0"]),
            *chain,
            helper.make_node("Identity", ["m400"], ["x"]),
            size=[1500, 1500],
        )
        assert "it does not run (not within 0 s)" in refusal(tmp_path, model)

    @pytest.mark.parametrize("operator", ["Div", "Mod"])
    @pytest.mark.parametrize("divisor", [0, -1, None, 2])
    @pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
    def test_whole_numbers_are_divided_by_known_ones_only(self, tmp_path, operator, divisor, kind):
        node = helper.make_node
        to = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        nodes = [
            node("Cast", ["lr"], ["whole"], to=to),
            node(operator, ["whole", "whole" if divisor is None else "by"], ["result"]),
            node("Cast", ["result"], ["x"], to=TensorProto.FLOAT),
        ]
        by = np.array(divisor or 0).astype(kind)
        model = self.bomb(*nodes, by=by)
        if divisor == 2:
            (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
            open_session(tmp_path / "model.onnx", device="cpu").close()
        elif divisor == -1 and kind is np.uint8:
            pass  # 255
        else:
            assert "which may be 0 or -1" in refusal(tmp_path, model)

    def test_two_inputs(self, tmp_path):
        model = make_onnx(make_spec())
        model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
        assert "the inputs are lr, more: expected lr alone" in refusal(tmp_path, model)
