"""The weights of a model file begin a network that computes what the file does."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn.utils import skip_init

from geosrseg.networks.framework import EndToEnd, build_network
from geosrseg.networks.onnx.graph import build_graph, build_onnx
from geosrseg.networks.onnx.weights import read_weights
from geosrseg.networks.presets import configure
from geosrseg.networks.super_resolution.bicubic import BicubicUpsample
from geosrseg.runtime.session import open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL, find_model
from tests.tiny_networks import spec_of, tiny_config, tiny_network

CONFIGS = {
    "dbpn and segnet": tiny_config(),
    "residual, 8x": tiny_config(upscale_factor=8, residual=True),
    "3x": tiny_config(upscale_factor=3),
    "espcn and unet": tiny_config(sr="espcn", seg="unet"),
    "lr": tiny_config(protocol="lr"),
    "hr": tiny_config(protocol="hr", upscale_factor=1),
    "logits block": tiny_config(seg_options={"width": 1 / 16, "logits_block": True}),
    "compact": tiny_config(joint="compact", upscale_factor=3),
    "compact, lr": tiny_config(joint="compact", protocol="lr"),
    "compact, hr": tiny_config(joint="compact", protocol="hr", upscale_factor=1),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_network_with_them_computes_what_the_files_does(config):
    written = tiny_network(config, seed=1)
    model = build_onnx(written, spec_of(config))
    network = tiny_network(config, seed=2)
    network.load_state_dict(read_weights(network, model))
    lr = torch.rand(1, 2, 32, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, found = written(lr), network(lr)
    for one, other in zip(expected, found, strict=True):
        # A rounding can move a maximum that is pooled, and a few pixels with it.
        wrong = (one - other).abs() > 1e-4 * one.abs().max()
        assert wrong.float().mean() < 0.01


def test_weights_that_are_equal_are_told_apart():
    """A model file keeps equal ones once, as all biases of a fresh network are."""
    config = tiny_config(residual=True)
    written = build_network(config).eval()
    network = tiny_network(config)
    network.load_state_dict(read_weights(network, build_onnx(written, spec_of(config))))
    for name, value in written.named_parameters():
        if "bn" not in name and value.ndim == 4:  # what nothing is folded into but rounding
            torch.testing.assert_close(network.get_parameter(name), value, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_elements_beyond_what_a_float_counts_keep_their_places():
    side = 4097  # 2**24 elements and more
    wide = nn.Sequential(nn.Conv2d(2, side, 1), skip_init(nn.Conv2d, side, side, 1, bias=False))
    with torch.no_grad():
        wide[1].weight.flatten().copy_(torch.arange(side**2))
        wide[1].weight.flatten()[2**24 :] -= 2**24
    network = EndToEnd(BicubicUpsample(2, upscale_factor=1), wide, upscale_factor=1)
    model = onnx.ModelProto()
    model.graph.CopyFrom(build_graph(network))
    assert torch.equal(read_weights(network, model)["seg.1.weight"], wide[1].weight)


def test_of_another_network_they_are_refused():
    config = tiny_config()
    model = build_onnx(tiny_network(config), spec_of(config))
    for other, message in (
        (tiny_config(seg="unet"), r"\d+ nodes|where the network has"),
        (tiny_config(seg_options={"width": 1 / 8}), r"weights of \(4, 2, 3, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            read_weights(build_network(other), model)


def test_the_network_is_left_as_it_is():
    config = tiny_config()
    network = tiny_network(config)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    read_weights(network, build_onnx(network, spec_of(config)))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_the_default_model_gives_the_same_probabilities_in_torch():
    path = find_model(DEFAULT_MODEL)
    with open_session(path, device="cpu") as session:
        spec = session.spec
        lr = torch.rand(1, len(spec.bands), 32, 48, generator=torch.Generator().manual_seed(0))
        probabilities, sr = session.run_with_sr(lr.numpy())
    config, _ = configure(
        "compact",
        protocol="end-to-end",
        bands=len(spec.bands),
        classes=len(spec.legend),
        upscale_factor=spec.upscale_factor,
    )
    network = build_network(config)
    network.load_state_dict(read_weights(network, onnx.load(path)))
    with torch.inference_mode():
        found, logits = network.eval()(lr)
    np.testing.assert_allclose(logits.softmax(1).numpy(), probabilities, atol=1e-5)
    np.testing.assert_allclose(found.numpy(), sr, atol=1e-5)
