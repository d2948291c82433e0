import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from geosrseg.errors import ModelError
from geosrseg.runtime.footprint import peak_bytes


def model_of(*nodes, outputs=("y",), constants=None):
    """Make a model that reads ``lr`` of 2 bands; `nodes` are (operator, inputs, output)."""

    def port(name, channels):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, "H", "W"])

    made = [
        helper.make_node(op, inputs.split(), [output], **dict(attributes))
        for op, inputs, output, *attributes in nodes
    ]
    arrays = [numpy_helper.from_array(a, name) for name, a in (constants or {}).items()]
    graph = helper.make_graph(
        made, "g", [port("lr", 2)], [port(name, None) for name in outputs], arrays
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


PIXELS = 3 * 8 * 16
INPUT = 2 * PIXELS * 4  # bytes


def peak(model):
    """Sizes are multiples of the input's bytes."""
    return peak_bytes(model, (3, 2, 8, 16)) / INPUT


def test_a_value_is_there_from_its_node_to_its_last_reader():
    chain = model_of(("Tanh", "lr", "a"), ("Tanh", "a", "b"), ("Tanh", "b", "y"))
    assert peak(chain) == 2  # a value and the next
    skip = model_of(
        ("Tanh", "lr", "a"), ("Tanh", "a", "b"), ("Tanh", "b", "c"), ("Mul", "c a", "y")
    )
    assert peak(skip) == 3


def test_an_output_stays_to_the_end():
    model = model_of(
        ("Tanh", "lr", "y"), ("Tanh", "y", "a"), ("Tanh", "a", "b"), outputs=("y", "b")
    )
    assert peak(model) == 3


def test_what_is_written_over_its_input_takes_nothing():
    assert peak(model_of(("Relu", "lr", "a"), ("Relu", "a", "y"))) == 1
    twice = model_of(("Relu", "lr", "a"), ("Relu", "lr", "b"), ("Add", "a b", "y"))
    assert peak(twice) == 2  # the second reader of lr may write over it


def test_other_sizes_count_with_theirs():
    model = model_of(
        ("Concat", "lr lr lr lr", "a", ("axis", 1)), ("DepthToSpace", "a", "y", ("blocksize", 2))
    )
    assert peak(model) == 8


def test_weights_do_not_count():
    weight = np.ones((2, 2, 31, 31), np.float32)
    model = model_of(("Conv", "lr w", "y", ("pads", [15] * 4)), constants={"w": weight})
    assert peak(model) == 2


def test_bytes_are_those_of_the_type():
    model = model_of(("Equal", "lr lr", "a"), ("Cast", "a", "y", ("to", TensorProto.FLOAT)))
    assert peak(model) == 1.25


def test_channels_of_convolutions_are_filled_up_to_blocks():
    """And those of what follows value by value, but not of other values."""
    weight = np.ones((3, 2, 1, 1), np.float32)
    follows = [("Conv", "lr w", "a"), ("Relu", "a", "b"), ("Tanh", "b", "c")]
    model = model_of(*follows, ("Tanh", "c", "y"), constants={"w": weight})
    assert peak_bytes(model, (3, 2, 8, 16)) == 3 * INPUT  # b and c
    assert peak_bytes(model, (3, 2, 8, 16), block=16) == (8 + 1.5) * INPUT


def test_it_grows_with_the_pixels(tiny_model):
    model = onnx.load(tiny_model())
    assert peak_bytes(model, (2, 3, 64, 32)) == 8 * peak_bytes(model, (1, 3, 16, 32))


def test_sizes_that_do_not_follow_from_the_inputs_are_refused():
    model = model_of(("NonZero", "lr", "y"))
    with pytest.raises(ModelError, match="cannot be inferred"):
        peak_bytes(model, (1, 2, 8, 8))
