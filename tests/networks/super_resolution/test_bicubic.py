import pytest
import torch
import torch.nn.functional as F

from geosrseg.networks.super_resolution.bicubic import RADIUS, BicubicUpsample, cubic_phases


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_it_is_the_bicubic_resize_of_torch_and_pil(factor):
    """Away from the border, where those two leave pixels out and we repeat the edge."""
    lr = torch.rand(2, 3, 9, 12, dtype=torch.float64)
    upsampled = BicubicUpsample(3, upscale_factor=factor).double()(lr)
    size = (9 * factor, 12 * factor)
    expected = F.interpolate(lr, size, mode="bicubic", antialias=True)
    inner = slice(RADIUS * factor, -RADIUS * factor)
    assert upsampled.shape == expected.shape
    assert torch.allclose(upsampled[..., inner, inner], expected[..., inner, inner], atol=1e-6)


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_a_constant_image_stays_as_it_is(factor):
    assert torch.allclose(cubic_phases(factor).sum(1), torch.ones(factor, dtype=torch.float64))
    image = torch.full((1, 2, 4, 6), 0.3)
    upsampled = BicubicUpsample(2, upscale_factor=factor)(image)
    assert torch.allclose(upsampled, torch.full((1, 2, 4 * factor, 6 * factor), 0.3))


def test_a_factor_of_one_is_the_identity():
    image = torch.rand(1, 2, 5, 7)
    assert BicubicUpsample(2, upscale_factor=1)(image) is image
