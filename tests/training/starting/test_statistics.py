"""Batch normalizations get statistics to train with, and the network computes what it did."""

import pytest
import torch

from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.networks.onnx.weights import read_weights
from geosrseg.training.starting.statistics import measure_statistics
from tests.tiny_networks import spec_of, tiny_config, tiny_network


@pytest.mark.parametrize(
    "config", [tiny_config(), tiny_config(joint="compact")], ids=["pair", "compact"]
)
def test_a_training_step_computes_what_the_model_file_does(config):
    """A batch of just the images that were measured has their statistics."""
    network = tiny_network(config, seed=1)
    network.load_state_dict(read_weights(network, build_onnx(network, spec_of(config))))
    images = torch.rand(4, 2, 32, 32)
    with torch.inference_mode():
        before = network(images)[1]
        measure_statistics(network, images)
        evaluated = network(images)[1]
        trained = network.train()(images)[1]
    scale = float(before.abs().max())
    torch.testing.assert_close(evaluated, before, rtol=0, atol=1e-4 * scale)
    torch.testing.assert_close(trained, before, rtol=0, atol=1e-3 * scale)
