"""Pooling without indices against PyTorch's, ties above all."""

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper

from geosrseg.networks.onnx.pooling import emit_pool, emit_unpool
from geosrseg.networks.onnx.writer import GraphWriter


def make_session():
    """A session that pools ``x`` and unpools ``values`` by the places of ``x``'s maxima."""
    graph = GraphWriter()
    maxima, places = emit_pool(graph, "x")
    graph.node("Identity", maxima, name="maxima")
    graph.node("Identity", emit_unpool(graph, "values", places), name="unpooled")

    def port(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4)

    model = graph.model(
        name="pooling",
        inputs=[port("x"), port("values")],
        outputs=[port("maxima"), port("unpooled")],
        metadata={},
        producer=("tests", "0"),
    )
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


SESSION = make_session()


def assert_equals_torch(x, values):
    pooled, indices = F.max_pool2d(torch.from_numpy(x), 2, return_indices=True)
    unpooled = F.max_unpool2d(torch.from_numpy(values), indices, 2)
    answer = SESSION.run(["maxima", "unpooled"], {"x": x, "values": values})
    assert np.array_equal(answer[0], pooled.numpy())
    assert np.array_equal(answer[1], unpooled.numpy())


@given(arrays(np.float32, (2, 3, 4, 6), elements=st.sampled_from([-1.0, 0.0, 1.0])))
def test_ties_go_to_the_first_in_scan_order(x):
    values = np.random.default_rng(0).normal(size=(2, 3, 2, 3)).astype(np.float32)
    assert_equals_torch(x, values)


@pytest.mark.parametrize("levels", [1, 2, 5, 10**6])
@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (3, 5, 8, 2), (1, 16, 64, 96)])
def test_any_shape_and_any_number_of_ties(shape, levels):
    random = np.random.default_rng(levels)
    x = random.integers(-levels, levels, shape).astype(np.float32) / 7
    batch, channels, height, width = shape
    values = random.normal(size=(batch, channels, height // 2, width // 2)).astype(np.float32)
    assert_equals_torch(x, values)


def test_zeros_after_a_relu_tie_everywhere():
    x = np.maximum(np.random.default_rng(0).normal(size=(1, 8, 32, 32)), 0).astype(np.float32)
    x[:, :, :16] = 0
    assert_equals_torch(x, np.ones((1, 8, 16, 16), np.float32))
