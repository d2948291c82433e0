"""The halo, computed from the layers, against what NaNs in the input really reach."""

import math

import pytest
import torch

from geosrseg.core.tiling.windows import round_up
from geosrseg.networks.compact import Compact
from geosrseg.networks.framework import build_network
from geosrseg.networks.halo import exact_halo, measured_halo, widest_halo
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach
from geosrseg.networks.segmentation.unet import UNet
from geosrseg.networks.super_resolution.espcn import ESPCN
from tests.tiny_networks import tiny_config, tiny_network

CASES = [("hr", 1, 3), ("lr", 3, 3), ("lr", 4, 3), ("lr", 8, 3)] + [
    ("end-to-end", factor, stages) for factor in (2, 3, 4, 8) for stages in (2, 3, 7)
]


@pytest.mark.parametrize(("factor", "multiple"), [(1, 32), (2, 16), (3, 32), (4, 8), (8, 4)])
def test_windows_begin_on_multiples_of_the_pooling_cells(factor, multiple):
    config = tiny_config(protocol="lr" if factor > 1 else "hr", upscale_factor=factor)
    assert build_network(config).multiple == multiple


@pytest.mark.parametrize(("stages", "halo"), [(3, 56), (7, 72)])
def test_the_halo_of_the_networks_we_train(stages, halo):
    config = tiny_config(sr_options={"stages": stages})
    assert exact_halo(build_network(config)) == halo


@pytest.mark.parametrize(("protocol", "factor", "stages"), CASES)
@pytest.mark.parametrize("everywhere", [True, False])
def test_what_lies_beyond_a_border_reaches_as_far_as_the_halo(
    protocol, factor, stages, everywhere, monkeypatch
):
    """With unpooling that passes a value on to all four pixels the bound is met exactly.

    The real one passes it on to one of them, wherever that is.
    """
    if everywhere:
        monkeypatch.setattr("torch.nn.functional.max_unpool2d", _repeat)
    config = tiny_config(
        protocol=protocol,
        upscale_factor=factor,
        sr_options={"stages": stages, "base": 1, "feat": 1},
        seg_options={"width": 1 / 512},
        bands=1,
        classes=1,
    )
    network = tiny_network(config)
    halo, multiple = exact_halo(network), network.multiple
    reached = round_up(math.ceil(_reach(network, halo=halo, multiple=multiple)), multiple)
    assert reached == halo if everywhere else reached <= halo


@pytest.mark.parametrize(
    "changes", [{"seg": "unet"}, {"sr": "espcn", "seg": "unet"}, {"sr": "espcn", "residual": True}]
)
def test_a_part_that_does_not_say_how_far_it_sees_is_probed(changes, monkeypatch):
    config = tiny_config(**changes)
    network = tiny_network(config)
    structural = exact_halo(network)
    for kind in (UNet, ESPCN):
        monkeypatch.setattr(kind, "before", Part.before)
    assert structural <= exact_halo(network) <= structural + network.multiple


@pytest.mark.parametrize(("protocol", "factor"), [("end-to-end", 3), ("lr", 8), ("hr", 1)])
def test_the_halo_of_a_network_for_both_images(protocol, factor, monkeypatch):
    config = tiny_config(
        protocol=protocol, joint="compact", upscale_factor=factor, bands=1, classes=1
    )
    network = tiny_network(config)
    halo, multiple = exact_halo(network), network.multiple
    assert (halo, multiple) == ((192, 32) if factor == 1 else (96, 16))
    assert 0 < _reach(network, halo=halo, multiple=multiple) <= halo
    network.float()
    monkeypatch.setattr(Compact, "before", JointNetwork.before)
    assert exact_halo(network) <= halo + multiple  # probed


def test_a_part_that_looks_at_the_whole_window_has_no_exact_halo():
    network = tiny_network(tiny_config(protocol="lr"))
    network.seg = GlobalMean()
    assert exact_halo(network) is None
    assert widest_halo(network) == 24
    assert measured_halo(network) is None


@pytest.mark.parametrize("protocol", ["lr", "end-to-end"])
def test_labels_change_less_far_than_the_bound(protocol):
    network = tiny_network(tiny_config(protocol=protocol))
    assert 0 < measured_halo(network) < exact_halo(network)


def test_the_measured_halo_of_a_network_that_is_known():
    """It takes the label from 5 HR pixels to the right, or from 5 rows above."""
    network = tiny_network(tiny_config(protocol="hr", upscale_factor=1))
    for shift in ((0, 0, 0, 5), (0, 5, 0, 0)):
        network.seg = Shifted(shift)
        assert measured_halo(network) == 5


def test_a_network_that_looks_at_single_pixels_has_no_halo():
    network = tiny_network(tiny_config(protocol="hr", upscale_factor=1))
    network.seg = Pixelwise()
    assert (exact_halo(network), measured_halo(network)) == (0, 0)


class Pixelwise(Part):
    bands = 2

    def forward(self, x):
        return x

    def before(self, outputs):
        return outputs


class GlobalMean(Part):
    bands = 2

    def forward(self, x):
        return x - x.mean((2, 3), keepdim=True)


class Shifted(Part):
    bands = 2

    def __init__(self, edges):
        super().__init__()
        self.edges = edges

    def forward(self, x):
        right, below = self.edges[1], self.edges[3]
        moved = torch.nn.functional.pad(x, (0, right, 0, below))
        return moved[..., below:, right:]

    def before(self, outputs):
        return Reach(outputs.first - 8, outputs.last + 8)


def _repeat(x, _indices, _kernel):
    return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def _reach(network, *, halo, multiple):
    """LR pixels that NaNs come in from beyond the left and the right border, at most."""
    network, factor = network.double(), network.upscale_factor
    width = 2 * (multiple + halo)
    depths = []
    for beyond in (slice(0, multiple), slice(width - multiple, width)):
        lr = torch.rand(1, 1, multiple, width, dtype=torch.float64)
        lr[..., beyond] = torch.nan
        with torch.inference_mode():
            _, logits = network(lr)
        columns = logits.isnan().any(dim=2).sum().item()  # NaN from the border on
        depths.append(columns / factor - multiple)
    return max(depths)
