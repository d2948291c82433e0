"""Tests the count of multiplications of a network."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.utils.flop_counter import FlopCounterMode

from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.runtime.arithmetic import multiply_adds
from tests.tiny_networks import spec_of, tiny_config, tiny_network


def of_one_node(op, weight, shape, **attributes):
    """Count the multiplications of a node that reads an image and a constant."""

    def port(name, size):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, size)

    graph = helper.make_graph(
        [helper.make_node(op, ["x", "w"], ["y"], **attributes)],
        "one",
        [port("x", [None] * len(shape))],
        [port("y", None)],
        [numpy_helper.from_array(np.zeros(weight, np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return multiply_adds(model, shape)


def test_a_convolution_multiplies_its_taps_at_each_output():
    assert of_one_node("Conv", (5, 2, 3, 3), (1, 2, 8, 8), strides=[2, 2], pads=[1] * 4) == (
        (5 * 4 * 4) * (2 * 3 * 3)
    )


def test_groups_multiply_only_their_own_inputs():
    assert of_one_node("Conv", (4, 1, 3, 3), (2, 4, 6, 6), group=4) == (2 * 4 * 4 * 4) * 9


def test_a_deconvolution_multiplies_its_taps_at_each_input():
    assert of_one_node("ConvTranspose", (3, 5, 4, 4), (1, 3, 6, 6), strides=[2, 2]) == (
        (3 * 6 * 6) * (5 * 4 * 4)
    )


@pytest.mark.parametrize(
    ("op", "shape", "attributes"),
    [("MatMul", (2, 7, 3), {}), ("Gemm", (7, 3), {}), ("Gemm", (3, 7), {"transA": 1})],
)
def test_a_matrix_product_multiplies_rows_by_columns(op, shape, attributes):
    batch = shape[0] if len(shape) == 3 else 1
    assert of_one_node(op, (3, 5), shape, **attributes) == batch * 7 * 3 * 5


def test_it_grows_with_the_pixels(tiny_model):
    model = onnx.load(tiny_model())
    assert multiply_adds(model, (2, 3, 64, 32)) == 8 * multiply_adds(model, (1, 3, 16, 32)) > 0


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_a_network_needs_what_pytorch_counts(factor):
    config = tiny_config(upscale_factor=factor)
    network, spec = tiny_network(config), spec_of(config)
    shape = (1, config.bands, 4 * spec.multiple, 6 * spec.multiple)
    counted = multiply_adds(build_onnx(network, spec), shape)
    expected = counted_by_pytorch(network, shape)
    # At 4x a deconvolution is a convolution with a rim of one LR pixel, cropped afterwards.
    assert expected <= counted <= expected * (1 if factor != 4 else 1.1)


def counted_by_pytorch(network: JointNetwork, shape: tuple[int, ...]) -> int:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(shape))
    return counter.get_total_flops() // 2
