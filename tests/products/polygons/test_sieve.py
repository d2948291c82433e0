import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.legend import NODATA
from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.products.polygons.components import label_components
from geosrseg.products.polygons.sieve import Sieve
from tests.core.strategies import class_maps


def sieve(labels, min_area, *, step=3, pixel=1.0):
    strips = [labels[row : row + step] for row in range(0, len(labels), step)]
    taken = Sieve(labels.shape[1], PixelAreas.uniform(pixel, width=labels.shape[1]))
    for strip in strips:
        taken.add(strip)
    smooth = taken.smoother(min_area)
    return np.concatenate([smooth(strip) for strip in strips])


def touches(labels, inside):
    """The labels of the pixels adjacent to a component."""
    beside = np.zeros_like(inside)
    beside[1:] |= inside[:-1]
    beside[:-1] |= inside[1:]
    beside[:, 1:] |= inside[:, :-1]
    beside[:, :-1] |= inside[:, 1:]
    return labels[beside & ~inside]


@given(class_maps(longest=14), st.integers(1, 9), st.integers(1, 5))
def test_what_is_left_is_large_or_has_no_neighbour(labels, min_area, step):
    smooth = sieve(labels, min_area, step=step)
    assert np.array_equal(smooth == NODATA, labels == NODATA)
    found = label_components(smooth)
    for k in np.flatnonzero(found.sum() < min_area):
        assert (touches(smooth, found.ids == k + 1) == NODATA).all()


@given(class_maps(longest=14), st.integers(1, 9))
def test_the_result_does_not_depend_on_the_strips(labels, min_area):
    assert np.array_equal(sieve(labels, min_area, step=2), sieve(labels, min_area, step=99))


@given(class_maps(longest=14))
def test_a_smallest_area_of_one_pixel_changes_nothing(labels):
    assert np.array_equal(sieve(labels, 56.25, pixel=56.25), labels)


@pytest.mark.parametrize(("min_area", "becomes"), [(100, 2), (200, 2), (201, 1)])
def test_small_ones_go_to_their_largest_neighbour(min_area, becomes):
    labels = np.array([[1, 1, 1, 2, 2, 5], [1, 1, 1, 1, 1, 1]], np.uint8)
    expected = labels.copy()
    expected[0, 3:] = becomes, becomes, 5 if min_area == 100 else 1
    assert np.array_equal(sieve(labels, min_area, pixel=100.0), expected)


def test_small_ones_grow_together():
    """None of the four is large enough; the merged component gets the class of the largest."""
    labels = np.array([[1, 2, 2, 5, 1]], np.uint8)
    assert sieve(labels, 4).tolist() == [[2] * 5]
