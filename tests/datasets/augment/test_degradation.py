import numpy as np
import pytest
import torch

from geosrseg.datasets.augment import degradation
from geosrseg.datasets.augment.degradation import degrade


def test_a_factor_of_one_changes_nothing():
    image = torch.rand(2, 8, 8)
    assert degrade(image, factor=1) is image


def test_an_even_image_stays_even():
    assert torch.allclose(degrade(torch.full((1, 32, 32), 0.3), factor=4), torch.tensor(0.3))


def test_the_mean_is_kept_away_from_edges():
    """A sensor with larger pixels receives the same light."""
    image = torch.from_numpy(np.random.default_rng(0).uniform(0.3, 0.6, (1, 256, 256))).float()
    assert abs(degrade(image, factor=8).mean() - image.mean()) < 2e-3


def test_a_texture_finer_than_the_target_vanishes():
    """Without antialiasing it would become a false texture."""
    stripes = (torch.arange(64) % 2).float().expand(1, 64, 64)
    lr = degrade(stripes, factor=4)[:, 2:-2, 2:-2]
    assert lr.std() < 0.01


def test_the_result_is_reflectance():
    """The bicubic kernel overshoots at an edge; a measurement cannot."""
    edge = (torch.arange(64) < 30).float().expand(1, 64, 64)
    lr = degrade(edge, factor=4)
    assert lr.min() >= 0
    assert lr.max() <= 1


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_a_small_image_is_reduced_like_a_large_one(monkeypatch, factor):
    image = torch.rand(2, 12 * factor, 7 * factor, generator=torch.Generator().manual_seed(0))
    small = degrade(image, factor=factor)
    monkeypatch.setattr(degradation, "SMALL", 0)
    assert torch.allclose(small, degrade(image, factor=factor), atol=1e-5)
