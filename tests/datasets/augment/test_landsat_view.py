"""Sentinel-2 as Landsat would see it: bands and blur."""

import numpy as np
import pytest
import torch

from geosrseg.datasets.augment.landsat_view import SIGMA, adjust_bands, reduce_image


def test_bands_are_adjusted_by_the_published_fit():
    image = np.full((2, 1, 1), 0.2, np.float32)
    adjusted = adjust_bands(image, sensor="S2A", bands=("blue", "swir2"))
    assert adjusted.ravel() == pytest.approx([0.9778 * 0.2 - 0.004, 1.003 * 0.2 - 0.0012])


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_an_even_image_stays_even(factor):
    hr = torch.full((1, 4 * factor, 5 * factor), 0.3)
    torch.testing.assert_close(reduce_image(hr, factor=factor), torch.full((1, 4, 5), 0.3))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_point_becomes_the_gaussian_of_its_distance(factor):
    hr = torch.zeros(1, 7 * factor, 7 * factor)
    row = 3 * factor  # the first row of the LR pixel in the middle
    hr[0, row, row] = 1
    lr = reduce_image(hr, factor=factor)[0]
    centres = (torch.arange(7) + 0.5) * factor - 0.5
    fall = torch.exp(-0.5 * ((centres - row) / (SIGMA * factor)) ** 2)
    inside = (centres - row).abs() < 1.5 * factor
    expected = fall * inside
    torch.testing.assert_close(lr / lr.max(), expected[:, None] * expected / expected.max() ** 2)


def test_a_flipped_image_gives_the_flipped_result():
    hr = torch.rand(2, 12, 18, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        reduce_image(hr.flip(-1), factor=3), reduce_image(hr, factor=3).flip(-1)
    )


def test_it_passes_what_oli_passes_at_the_nyquist_frequency():
    """A wave of two LR pixels keeps the ratio of both sensors' transfer: 0.30 / 0.86."""
    wave = torch.cos(torch.pi * (torch.arange(180) - 1) / 3).expand(1, 180, 180)
    middle = reduce_image(wave, factor=3)[0, 30, 10:50].abs().max()
    assert middle == pytest.approx(0.35, abs=0.02)
