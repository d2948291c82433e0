import torch

from geosrseg.networks.super_resolution.espcn import ESPCN


def test_the_published_network_for_one_band():
    """Section 3 of the paper: 5x5 to 64, 3x3 to 32, 3x3 to s² values a pixel."""
    weights = [tuple(p.shape) for p in ESPCN(1, upscale_factor=3).parameters() if p.ndim == 4]
    assert weights == [(64, 1, 5, 5), (32, 64, 3, 3), (9, 32, 3, 3)]


def test_any_size_is_upscaled():
    with torch.inference_mode():
        assert ESPCN(2, upscale_factor=4)(torch.rand(2, 2, 5, 7)).shape == (2, 2, 20, 28)
