from dataclasses import replace

import numpy as np
import pytest

from geosrseg.core.domain import Domain
from geosrseg.mapping.layers.layers import CLASSES
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
    counts.add({CLASSES: np.full((4, 4), spec.legend.classes[rare].id, np.uint8)})
    assert len([line for line in counts.unlike(spec) if "100% of its map" in line]) == expected
