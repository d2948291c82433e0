import pytest
import torch

from geosrseg.errors import RunError
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.part import Part
from geosrseg.networks.super_resolution.dbpn import DBPN
from tests.tiny_networks import tiny_config


def test_a_residual_network_begins_as_bicubic_upsampling():
    config = tiny_config(residual=True)
    bicubic = build_network(tiny_config(protocol="lr")).sr
    lr = torch.rand(2, 2, 8, 16)
    assert torch.equal(build_network(config).sr(lr), bicubic(lr))


def test_a_residual_network_can_learn_from_the_start():
    network = build_network(tiny_config(residual=True)).sr
    network(torch.rand(1, 2, 8, 8)).sum().backward()
    assert network.network.output_conv.conv.weight.grad.abs().max() > 0


def test_a_network_that_does_not_name_its_last_layer_has_no_residual_form(monkeypatch):
    monkeypatch.setattr(DBPN, "last_conv", Part.last_conv)
    assert isinstance(build_network(tiny_config()).sr, DBPN)
    with pytest.raises(
        RunError, match=r"DBPN does not say which .* is the last: define `last_conv`"
    ):
        build_network(tiny_config(residual=True))


@pytest.mark.parametrize(
    ("protocol", "factor"),
    [("hr", 1), ("lr", 2), ("lr", 4), ("end-to-end", 2), ("two-stage", 4), ("end-to-end", 8)],
)
def test_every_protocol_gives_an_image_and_logits_on_the_target_grid(protocol, factor):
    network = build_network(tiny_config(protocol=protocol, upscale_factor=factor)).eval()
    with torch.inference_mode():
        sr, logits = network(torch.rand(1, 2, 32, 64))
    assert sr.shape == (1, 2, 32 * factor, 64 * factor)
    assert logits.shape == (1, 3, 32 * factor, 64 * factor)


@pytest.mark.parametrize(
    "change",
    [{"protocol": "three-stage"}, {"protocol": "hr"}, {"protocol": "lr", "upscale_factor": 1}],
)
def test_what_does_not_go_together_is_refused(change):
    with pytest.raises(ValueError, match="protocol"):
        tiny_config(**change)


def test_a_configuration_survives_json():
    config = tiny_config(residual=True, seg_options={"logits_block": True})
    assert NetworkConfig(**config.to_json()) == config


def test_with_one_seed_the_segmentation_begins_alike_in_every_protocol():
    begun = []
    for protocol, factor in (("lr", 4), ("end-to-end", 8), ("hr", 1)):
        torch.manual_seed(3)
        config = NetworkConfig(
            protocol=protocol,
            bands=2,
            classes=3,
            upscale_factor=factor,
            sr_options={"base": 4, "feat": 8, "stages": 2},
            seg_options={"width": 1 / 16},
        )
        begun.append(build_network(config).seg.state_dict())
    for name, value in begun[0].items():
        assert torch.equal(value, begun[1][name])
        assert torch.equal(value, begun[2][name])
