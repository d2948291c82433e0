"""Tests the timing of repeated runs."""

import pytest

from geosrseg.core.timing import Timing


def test_the_median_is_that_of_the_runs():
    assert Timing((3.0, 1.0, 2.0)).median == 2
    assert Timing((1.0, 2.0, 3.0, 9.0)).median == 2.5


def test_the_slowest_run_has_the_lowest_rate():
    assert Timing((2.0, 1.0, 4.0)).rates(8) == {"median": 4, "min": 2, "max": 8}


@pytest.mark.parametrize("seconds", [(), (1.0, 0.0), (-1.0,)])
def test_a_run_takes_a_while(seconds):
    with pytest.raises(ValueError, match="took a while"):
        Timing(seconds)
