"""Against the worked example of the paper, and against a simulated survey."""

import numpy as np
import pytest

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.products.area_estimate import estimate_areas

# Olofsson et al. (2014), section 5: rows are the map's classes, columns the reference's.
# Deforestation, forest gain, stable forest, stable non-forest.
PAPER = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED = [200_000, 150_000, 3_200_000, 6_450_000]  # pixels of 30 m
PIXEL = 900.0


def test_the_papers_example():
    areas = [pixels * PIXEL for pixels in MAPPED]
    estimates = estimate_areas(areas, ConfusionMatrix(PAPER.T))
    hectares = [round(item.square_metres / 1e4) for item in estimates]
    margins = [round(item.margin / 1e4) for item in estimates]
    assert (hectares[0], margins[0]) == (21_158, 6_158)
    assert sum(hectares) == sum(areas) / 1e4


def test_a_perfect_model_changes_nothing():
    estimates = estimate_areas([30.0, 70.0], ConfusionMatrix(np.diag([10, 20])))
    assert [(item.square_metres, item.margin) for item in estimates] == [(30, 0), (70, 0)]


def test_the_interval_holds_the_true_area_95_times_in_100():
    """A map of two classes with known errors is sampled many times."""
    rng = np.random.default_rng(0)
    mapped = np.array([300.0, 700.0])
    reference = np.array([[0.8, 0.2], [0.1, 0.9]])  # shares within each class of the map
    true = float(mapped @ reference[:, 0])
    held = 0
    for _ in range(2000):
        drawn = np.stack([rng.multinomial(60, shares) for shares in reference])
        estimate = estimate_areas(mapped, ConfusionMatrix(drawn.T))[0]
        held += abs(estimate.square_metres - true) <= estimate.margin
    assert 0.92 < held / 2000 < 0.97


def test_a_mapped_class_without_a_sample_has_no_estimate():
    counts = np.array([[5, 0, 0], [0, 5, 0], [0, 0, 1]])
    assert estimate_areas([1.0, 1.0, 1.0], ConfusionMatrix(counts)) is None
    assert estimate_areas([1.0, 1.0, 0.0], ConfusionMatrix(counts)) is not None


def test_an_empty_map_has_no_estimate():
    assert estimate_areas([0.0, 0.0], ConfusionMatrix(np.diag([5, 5]))) is None


def test_areas_and_matrix_are_of_the_same_classes():
    with pytest.raises(ValueError, match="2 classes, got 3"):
        estimate_areas([1.0, 1.0, 1.0], ConfusionMatrix(np.diag([5, 5])))
