"""Tiny networks with random weights, batch normalizations and activations."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from geosrseg.core.spec import ModelSpec
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.halo import exact_halo
from geosrseg.networks.joint import JointNetwork
from tests.tiny_models import make_spec


def tiny_config(**changes: Any) -> NetworkConfig:
    """2 bands, 3 classes, 4x, end to end; every layer is there, with a few channels."""
    values = {"protocol": "end-to-end", "bands": 2, "classes": 3, "upscale_factor": 4}
    config = NetworkConfig(**{**values, **changes})
    tiny = {"dbpn": {"base": 3, "feat": 4, "stages": 3}}
    tiny |= {name: {"width": 1 / 16} for name in ("segnet", "unet")}
    return replace(
        config,
        sr_options=tiny.get(config.sr, {}) | config.sr_options,
        seg_options=tiny.get(config.seg, {}) | config.seg_options,
        joint_options={"width": 1 / 16} | config.joint_options,
    )


def tiny_network(config: NetworkConfig, *, seed: int = 0) -> JointNetwork:
    """A network ready to evaluate, in which no parameter has a value that hides a mistake."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(config)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.2)
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.uniform_(module.weight, 0.5, 2)
            if isinstance(module, nn.PReLU):
                nn.init.uniform_(module.weight, -0.5, 1.5)
            layers = nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d
            if isinstance(module, layers) and module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
            if isinstance(module, nn.Conv2d) and not module.weight.any():
                nn.init.normal_(module.weight, std=0.01)  # what adds to the bicubic image
    return network.eval()


def spec_of(config: NetworkConfig) -> ModelSpec:
    """The ModelSpec of a network."""
    network = build_network(config)
    multiple, reach = network.multiple, exact_halo(network)
    return make_spec(
        bands=config.bands,
        classes=config.classes,
        upscale_factor=config.upscale_factor,
        multiple=multiple,
        halo=multiple,
        exact_halo=reach,
    )
