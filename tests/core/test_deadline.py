"""What comes over the network has a time, as a whole and for each of its parts."""

import pytest

from geosrseg.core import deadline
from geosrseg.core.deadline import Pace


@pytest.mark.parametrize(
    ("arrivals", "is_too_slow"),
    [
        ([(1, 0), (9.9, 0)], False),  # not judged yet
        ([(1, 100), (10, 900)], False),
        ([(1, 100), (10, 899)], True),
        ([(10, 5000), (20, 999)], True),  # each stretch by itself
        ([(10, 5000), (20, 1000), (29, 0)], False),
    ],
)
def test_what_trickles_is_too_slow(monkeypatch, arrivals, is_too_slow):
    now = [0.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now[0])
    pace = Pace(100, seconds=10)
    try:
        for now[0], count in arrivals:
            pace.add(count)
    except TimeoutError as error:
        assert is_too_slow
        assert str(error) == "less than 100 bytes a second"
    else:
        assert not is_too_slow
