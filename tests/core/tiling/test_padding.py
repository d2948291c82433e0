import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.windows import Window


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 8), st.integers(0, 8))
def test_repeats_the_last_row_and_column(rows, cols, below, right):
    inputs = np.random.default_rng(rows * 10 + cols).random((3, rows, cols), np.float32)
    padded = pad_to_window(inputs, Window(40, 80, rows + below, cols + right))
    row_index = np.minimum(np.arange(rows + below), rows - 1)
    col_index = np.minimum(np.arange(cols + right), cols - 1)
    np.testing.assert_array_equal(padded, inputs[:, row_index][:, :, col_index])


def test_a_window_inside_the_scene_is_not_copied():
    inputs = np.zeros((3, 4, 5), np.float32)
    assert pad_to_window(inputs, Window(0, 0, 4, 5)) is inputs
