import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.evaluation.scoring.block_counts import BlockCounts

BLOCKS, CELLS = 5, 4

pixels = st.lists(st.tuples(st.integers(0, BLOCKS - 1), st.integers(0, CELLS - 1)), max_size=40)


def counts_of(pairs):
    block, cell = np.array(pairs, np.int64).reshape(-1, 2).T
    return BlockCounts.of(block, cell, cells=CELLS)


def dense(pairs):
    table = np.zeros((BLOCKS, CELLS), np.int64)
    for block, cell in pairs:
        table[block, cell] += 1
    return table


@given(pixels)
def test_the_sums_are_those_of_a_loop(pairs):
    np.testing.assert_array_equal(counts_of(pairs).sums(), dense(pairs).sum(axis=0))


@given(pixels, st.lists(st.integers(0, 3), min_size=BLOCKS, max_size=BLOCKS))
def test_a_block_that_is_drawn_twice_counts_twice(pairs, draws):
    expected = np.array(draws) @ dense(pairs)
    np.testing.assert_array_equal(counts_of(pairs).sums(np.array(draws)), expected)


@given(pixels, pixels, pixels)
def test_parts_add_up_to_the_whole(a, b, c):
    parts = BlockCounts.add_up(map(counts_of, (a, b, c)), cells=CELLS)
    whole = counts_of([*a, *b, *c])
    for name in ("block", "cell", "count"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_only_what_is_not_zero_is_kept():
    assert counts_of([(4, 3), (4, 3), (0, 0)]).count.tolist() == [1, 2]


def test_a_cell_beyond_the_last_is_refused():
    with pytest.raises(ValueError, match="cells are 0 to 1, got up to 2"):
        BlockCounts(2, *np.array([[0], [2], [1]]))


def test_arrays_of_unlike_lengths_are_refused():
    with pytest.raises(ValueError, match="three arrays of one length"):
        BlockCounts(2, np.zeros(2, int), np.zeros(1, int), np.ones(1, int))
