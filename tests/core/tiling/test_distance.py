import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.tiling.distance import distance

sides = st.integers(1, 14)


@given(sides, sides, st.sampled_from([0, 0.02, 0.1, 0.9]), st.integers(0, 2**32 - 1))
def test_it_is_the_least_of_the_steps_to_all_marked_pixels(height, width, share, seed):
    marked = np.random.default_rng(seed).random((height, width)) < share
    rows, cols = np.nonzero(np.pad(marked, 1, constant_values=True))  # all beyond it is marked
    y, x = np.indices(marked.shape) + 1
    steps = np.maximum(abs(y[..., None] - rows), abs(x[..., None] - cols)).min(axis=-1)
    np.testing.assert_array_equal(distance(marked), steps)
