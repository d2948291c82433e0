from dataclasses import replace

import numpy as np
import pytest

from geosrseg.core.domain import Domain
from geosrseg.mapping.layers.layers import CLASSES, CONFIDENCE
from geosrseg.mapping.planning.map_judgement import MapCounts
from tests.tiny_models import make_spec


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((), 1),  # not known: the validation has it nowhere
        ((0.5, 0.9), 1),  # more than any image that it learned from
        ((1.0, 1.0), 0),  # one image was all of it
    ],
)
def test_a_class_abounds_where_no_training_image_had_so_much(shares, expected):
    spec = make_spec()
    rare = len(spec.legend) - 1
    confusion = np.zeros((len(spec.legend), len(spec.legend)), int)
    confusion[0, 0] = 1000
    most = (*shares[:1] * rare, *shares[1:])
    spec = replace(
        spec, confusion=tuple(map(tuple, confusion.tolist())), domain=Domain(shares=most)
    )
    counts = MapCounts()
    counts.add({CLASSES: np.full((1, 4, 4), spec.legend.classes[rare].id, np.uint8)})
    assert len([line for line in counts.unlike(spec) if "100% of its map" in line]) == expected


@pytest.mark.parametrize(("percent", "expected"), [(60, 1), (80, 0)])
def test_the_mean_confidence_is_that_of_the_first_band(percent, expected):
    spec = replace(make_spec(), metrics={"overall_accuracy": 0.9})
    rows = np.full((2, 4, 4), percent, np.uint8)
    rows[1] = 100  # all in doubt, which counts for nothing here
    rows[:, 0] = 255
    counts = MapCounts()
    counts.add({CONFIDENCE: rows})
    lines = [line for line in counts.unlike(spec) if f"confidence of its map is {percent}%" in line]
    assert len(lines) == expected
