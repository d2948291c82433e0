import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.tiling.dilation import dilate


@given(st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_dilate_marks_all_within_the_radius(radius, seed):
    marked = np.random.default_rng(seed).random((9, 13)) < 0.05
    expected = np.zeros_like(marked)
    for row, col in np.argwhere(marked):
        rows = slice(max(row - radius, 0), row + radius + 1)
        expected[rows, max(col - radius, 0) : col + radius + 1] = True
    assert np.array_equal(dilate(marked, radius), expected)
