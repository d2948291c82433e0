"""Tests the minimum rate of transfers."""

from contextlib import nullcontext

import pytest

from geosrseg.core import deadline
from geosrseg.core.deadline import Pace

TOO_SLOW = pytest.raises(TimeoutError, match=r"^less than 100 bytes a second$")


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ([(1, 0), (9.9, 0)], nullcontext()),  # not judged yet
        ([(1, 100), (10, 900)], nullcontext()),
        ([(1, 100), (10, 899)], TOO_SLOW),
        ([(10, 5000), (20, 999)], TOO_SLOW),  # each stretch by itself
        ([(10, 5000), (20, 1000), (29, 0)], nullcontext()),
    ],
)
def test_what_trickles_is_too_slow(monkeypatch, arrivals, expected):
    now = [0.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now[0])
    pace = Pace(100, seconds=10)
    with expected:
        for now[0], count in arrivals:
            pace.add(count)
