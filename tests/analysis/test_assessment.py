"""Accuracies weighted by area, against the published example and a simulation."""

import math

import numpy as np
import pytest

from geosrseg.analysis.assessment import Assessment, stratify
from geosrseg.core.confusion import ConfusionMatrix
from tests.analysis.conftest import LEGEND

# Olofsson et al. (2014), table 8: rows map, columns reference; mapped hectares.
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 900.0


def test_the_published_example_comes_out():
    found = stratify(ConfusionMatrix(COUNTS.T.copy()), PIXELS.tolist())
    assert found.overall.value == pytest.approx(0.947, abs=5e-4)
    assert found.overall.margin == pytest.approx(0.018, abs=1e-3)
    assert [a.value for a in found.users] == pytest.approx([0.88, 0.73, 0.93, 0.96], abs=5e-3)
    assert [a.margin for a in found.users] == pytest.approx([0.07, 0.10, 0.04, 0.02], abs=5e-3)
    assert [a.value for a in found.producers] == pytest.approx([0.75, 0.85, 0.93, 0.96], abs=5e-3)


def test_the_margins_are_the_spread_of_repeated_samples():
    generator = np.random.default_rng(2)
    areas = [2e6, 1e6, 5e6]
    truth = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.05, 0.02, 0.93]]  # rows: map
    draws = [
        stratify(ConfusionMatrix(np.stack([generator.multinomial(80, p) for p in truth]).T), areas)
        for _ in range(1500)
    ]
    for pick in (
        lambda found: found.overall,
        *(lambda found, k=k: found.users[k] for k in range(3)),
        *(lambda found, k=k: found.producers[k] for k in range(3)),
    ):
        values = np.array([pick(found).value for found in draws])
        margins = np.array([pick(found).margin for found in draws])
        assert 1.96 * values.std() == pytest.approx(margins.mean(), rel=0.1)


def test_a_class_with_one_sample_has_no_variance():
    counts = np.array([[5, 0], [0, 1]])
    assert stratify(ConfusionMatrix(counts), [1.0, 1.0]) is None


def test_a_class_that_is_not_mapped_needs_no_sample():
    found = stratify(ConfusionMatrix(np.array([[5, 0], [2, 0]])), [1.0, 0.0])
    assert found.overall.value == pytest.approx(5 / 7)
    assert math.isnan(found.users[1].value)
    assert found.producers[1].value == 0  # it is there, and the map never shows it


def test_what_is_undefined_is_null():
    matrix = ConfusionMatrix(np.diag([4, 0, 3]).astype(np.int64))
    found = Assessment(LEGEND, matrix, (1.0, 0.0, 1.0), False, "points", {})
    assert found.to_json()["classes"][1]["iou"] is None
    assert "mapped_hectares" not in found.to_json()["classes"][0]
