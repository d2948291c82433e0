"""Where a map of many windows differs from the map of one."""

import numpy as np
import pytest
from hypothesis import given

from geosrseg.bench.seam_counts import border_distances, count_seams
from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import plan_span, plan_windows
from tests.core.strategies import spans


def naive_distances(span):
    """Pixel by pixel, window by window."""
    nearest = []
    for pixel in range(span.length):
        found = [span.length]
        for k, start in enumerate(span.starts):
            first, stop = span.supports[k]
            if first <= pixel < stop:
                found += [pixel - start] * (k > 0)
                found += [start + span.window_size - 1 - pixel] * (k + 1 < len(span.starts))
        nearest.append(min(found))
    return nearest


@given(spans())
def test_distances_are_those_to_the_borders_of_the_windows_that_contribute(span):
    assert border_distances(span).tolist() == naive_distances(span)


@given(spans())
def test_nothing_nearer_than_the_halo_is_used(span):
    assert border_distances(span).min() >= min(span.halo, span.length)


def test_one_window_has_no_border():
    span = plan_span(40, window_size=64, halo=8, ramp=8, multiple=8)
    assert set(border_distances(span)) == {40}


@pytest.fixture
def plan():
    """Two windows side by side, cut hard between columns 15 and 16 of 32."""
    return plan_windows(16, 32, window_size=24, halo=8, ramp=0, multiple=8)


def count(plan, whole, tiled):
    return count_seams(whole, tiled, plan, factor=2, classes=3)


def test_equal_maps_have_no_seams(plan):
    labels = np.random.default_rng(0).integers(0, 3, (32, 64), np.uint8)
    seams = count(plan, labels, labels)
    assert seams.share_changed == 0
    assert seams.changed.sum() == 0
    assert seams.pixels.sum() == labels.size


def test_a_changed_label_counts_at_its_distance_and_in_its_class(plan):
    whole = np.zeros((32, 64), np.uint8)
    tiled = whole.copy()
    whole[0, 0] = 1  # column 0 is 23 LR pixels from the border of the first window
    tiled[:, 31] = 2  # LR column 15 is 8 from it
    seams = count(plan, whole, tiled)
    assert seams.changed.tolist() == [0, 32, 1]
    assert seams.share_changed == pytest.approx(33 / whole.size)
    assert seams.confusion.counts.tolist() == [[whole.size - 33, 0, 32], [1, 0, 0], [0, 0, 0]]


def test_what_is_nodata_does_not_count(plan):
    whole = np.full((32, 64), NODATA, np.uint8)
    whole[:, :8] = 1
    seams = count(plan, whole, np.full_like(whole, 2))
    assert seams.pixels.sum() == seams.changed.sum() == 32 * 8
    assert seams.share_changed == 1
    assert seams.pixels[0] == 0
