"""Pairs of images that show the same place."""

import pytest
from shapely import box

from geosrseg.datasets.check.common_ground import find_overlaps


def test_overlaps_have_the_numbers_of_the_images_and_the_share_of_each():
    grounds = [None, box(0, 0, 2, 1), None, box(1, 0, 2, 1), box(5, 0, 6, 1)]
    ((first, second, shares),) = find_overlaps(grounds)
    assert (first, second) == (1, 3)
    assert shares == pytest.approx((0.5, 1.0))


def test_images_that_only_touch_share_nothing():
    assert not list(find_overlaps([box(0, 0, 1, 1), box(1, 0, 2, 1)]))
    assert not list(find_overlaps([box(0, 0, 1, 1), box(0.995, 0, 1.995, 1)]))


def test_images_that_lie_nowhere_share_nothing():
    assert not list(find_overlaps([None, None]))
