"""The exported graph against the network it is made of."""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from geosrseg.core.spec import SPEC_KEY, ModelSpec
from geosrseg.networks.onnx.graph import build_onnx
from tests.tiny_networks import spec_of, tiny_config, tiny_network

NETWORKS = {
    "hr": tiny_config(protocol="hr", upscale_factor=1),
    "lr 2x": tiny_config(protocol="lr", upscale_factor=2),
    "lr 4x": tiny_config(protocol="lr"),
    "lr 8x": tiny_config(protocol="lr", upscale_factor=8),
    "end-to-end 2x": tiny_config(upscale_factor=2),
    "end-to-end 4x": tiny_config(),
    "end-to-end 8x": tiny_config(upscale_factor=8),
    "two stages": tiny_config(sr_options={"stages": 2}),
    "residual": tiny_config(residual=True),
    "logits block": tiny_config(protocol="lr", seg_options={"logits_block": True}),
    "espcn and unet": tiny_config(sr="espcn", seg="unet", upscale_factor=2),
    "residual espcn": tiny_config(sr="espcn", residual=True, upscale_factor=8),
    "many bands and classes": tiny_config(protocol="lr", bands=7, classes=11),
}
STANDARD = {"Add", "Cast", "Concat", "Conv", "ConvTranspose", "DepthToSpace", "Equal", "Identity"}
STANDARD |= {"LeakyRelu", "Max", "Mul", "Pad", "Relu", "Slice", "Softmax", "SpaceToDepth"}
STANDARD |= {"Split", "Sub"}


def run(model, lr):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["probabilities", "sr"], {"lr": lr.numpy()})


def noise(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def assert_equal(network, model, lr):
    with torch.inference_mode():
        sr, logits = network(lr)
    probabilities, model_sr = run(model, lr)
    assert np.abs(model_sr - sr.numpy()).max() <= 1e-5 * sr.abs().max()
    # Rounding may move a maximum to its neighbour, and a few dozen labels with it.
    assert np.median(np.abs(probabilities - logits.softmax(1).numpy())) < 1e-6
    assert (probabilities.argmax(1) == logits.argmax(1).numpy()).mean() >= 0.98


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_the_same_image_and_labels(name):
    config = NETWORKS[name]
    network, spec = tiny_network(config), spec_of(config)
    model = build_onnx(network, spec)
    for batch, rows, cols in ((1, 2, 3), (2, 3, 1)):
        lr = noise(batch, config.bands, rows * spec.multiple, cols * spec.multiple)
        assert_equal(network, model, lr)


def test_a_network_in_training_is_left_alone():
    config = tiny_config()
    network = tiny_network(config).train()
    before = copy.deepcopy(network.state_dict())
    model = build_onnx(network, spec_of(config))
    assert network.training
    assert next(network.parameters()).dtype == torch.float32
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert_equal(network.eval(), model, noise(1, 2, 16, 8))


def test_the_file_is_self_contained_and_standard():
    config = tiny_config(residual=True)
    model = build_onnx(tiny_network(config), spec_of(config))
    onnx.checker.check_model(model, full_check=True)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    assert {node.op_type for node in model.graph.node} <= STANDARD
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert model.producer_name == "geosrseg"
    (entry,) = model.metadata_props
    assert entry.key == SPEC_KEY
    assert ModelSpec.from_json(entry.value) == spec_of(config)


def test_the_slim_network_is_under_ten_megabytes():
    config = tiny_config(
        bands=6,
        classes=5,
        sr_options={"base": 16, "feat": 64},
        residual=True,
        seg_options={"width": 0.25},
    )
    assert build_onnx(tiny_network(config), spec_of(config)).ByteSize() < 10e6
