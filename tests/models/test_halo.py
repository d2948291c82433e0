"""The halo, computed from the layers, against what NaNs in the input really reach."""

import math

import pytest
import torch

from geosrseg.core.windows import round_up
from geosrseg.models.halo import exact_halo, window_multiple
from tests.tiny_networks import tiny_config, tiny_network

CASES = [("hr", 1, 3), ("lr", 4, 3), ("lr", 8, 3)] + [
    ("end-to-end", factor, stages) for factor in (2, 4, 8) for stages in (2, 3, 7)
]


@pytest.mark.parametrize(("factor", "multiple"), [(1, 32), (2, 16), (4, 8), (8, 4)])
def test_windows_begin_on_multiples_of_the_pooling_cells(factor, multiple):
    assert window_multiple(factor) == multiple


@pytest.mark.parametrize(("stages", "halo"), [(3, 56), (7, 72)])
def test_the_halo_of_the_networks_we_train(stages, halo):
    assert exact_halo(tiny_config(sr_stages=stages)) == halo


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
        sr_stages=stages,
        sr_base=1,
        sr_feat=1,
        seg_width=1 / 512,
        bands=1,
        classes=1,
    )
    halo, multiple = exact_halo(config), window_multiple(factor)
    reached = round_up(math.ceil(_reach(config, halo=halo, multiple=multiple)), multiple)
    assert reached == halo if everywhere else reached <= halo


def _repeat(x, _indices, _kernel):
    return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def _reach(config, *, halo, multiple):
    """LR pixels that NaNs come in from beyond the left and the right border, at most."""
    network, factor = tiny_network(config).double(), config.upscale_factor
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
