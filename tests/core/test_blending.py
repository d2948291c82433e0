import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core import blending
from geosrseg.core.blending import RowBlender, blend_weights, taper
from geosrseg.core.windows import Span, WindowPlan
from tests.core.strategies import axes, spans, window_plans

factors = st.sampled_from([1, 2, 4])

TAPERS = {
    "linear": lambda length: (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1),
    "cut in the middle": lambda length: (np.arange(length) >= length // 2).astype(np.float32),
    "new window at once": lambda length: np.ones(length, np.float32),
    "old window to the end": lambda length: np.zeros(length, np.float32),
    "square": lambda length: np.square(np.linspace(0, 1, length, dtype=np.float32)),
}


def sums_along_axis(span: Span, factor: int) -> np.ndarray:
    sums = np.zeros(span.length * factor)
    for start, weights in zip(span.starts, blend_weights(span, factor=factor), strict=True):
        sums[start * factor :][: weights.size] += weights
    return sums


class TestTaper:
    @given(st.integers(1, 200))
    def test_rises_symmetrically_between_zero_and_one(self, length):
        weights = taper(length)
        assert weights.shape == (length,)
        assert weights.dtype == np.float32
        assert (weights > 0).all()
        assert (weights < 1).all() or length > 100  # float32 is 1 where it is that near
        assert (np.diff(weights) >= 0).all()
        np.testing.assert_allclose(weights + weights[::-1], 1, atol=1e-6)

    def test_of_no_pixels_is_a_hard_cut(self):
        assert taper(0).shape == (0,)


class TestBlendWeights:
    @given(spans(), factors)
    def test_sum_to_one_at_every_pixel(self, span, factor):
        np.testing.assert_allclose(sums_along_axis(span, factor), 1, atol=1e-6)

    @given(axes(), factors)
    def test_sum_to_one_for_planned_scenes(self, axis, factor):
        np.testing.assert_allclose(sums_along_axis(axis.plan(), factor), 1, atol=1e-6)

    @given(spans(), factors)
    def test_are_never_negative_nor_above_one(self, span, factor):
        weights = blend_weights(span, factor=factor)
        assert weights.shape == (len(span.starts), span.window_size * factor)
        assert weights.dtype == np.float32
        assert (weights >= 0).all()
        assert (weights <= 1).all()

    @given(spans(), factors)
    def test_are_zero_in_the_halo_of_inner_borders_only(self, span, factor):
        weights = blend_weights(span, factor=factor)
        halo = span.halo * factor
        assert not weights[1:, :halo].any()
        assert not weights[:-1, weights.shape[1] - halo :].any()
        assert weights[0, 0] == weights[-1, -1] == 1  # there is nothing beyond the scene's edge

    @given(spans(), factors)
    def test_no_window_contributes_to_rows_that_were_finished_before_it(self, span, factor):
        weights = blend_weights(span, factor=factor)
        for k, start in enumerate(span.starts[1:], start=1):
            assert start * factor + weights[k].nonzero()[0][0] >= span.finished[k - 1] * factor

    @given(spans())
    def test_without_a_ramp_are_the_cores(self, span):
        hard = Span(span.length, span.window_size, span.starts, span.halo, ramp=0)
        weights = blend_weights(hard, factor=1)
        for k, (start, (first, stop)) in enumerate(zip(hard.starts, hard.cores, strict=True)):
            expected = np.zeros(hard.window_size)
            expected[first - start : stop - start] = 1
            np.testing.assert_array_equal(weights[k], expected)

    @pytest.mark.parametrize("shape", TAPERS)
    def test_sum_to_one_whatever_the_taper(self, shape, monkeypatch):
        monkeypatch.setattr(blending, "taper", TAPERS[shape])

        @given(spans(), factors)
        def check(span, factor):
            np.testing.assert_allclose(sums_along_axis(span, factor), 1, atol=1e-6)
            assert (blend_weights(span, factor=factor) >= 0).all()

        check()


def blended(plan: WindowPlan, factor: int, classes: int, windows: dict) -> list[np.ndarray]:
    """The blocks of rows that a RowBlender gives out."""
    blender = RowBlender(plan, factor=factor, classes=classes)
    blocks = []
    for band in range(len(plan.rows.starts)):
        for window in plan.band(band):
            blender.add(window, windows[window])
        blocks.append(blender.finish(band))
    return blocks


def naively_blended(plan: WindowPlan, factor: int, classes: int, windows: dict) -> np.ndarray:
    """The same with the whole map in memory."""
    rows, cols = (blend_weights(span, factor=factor) for span in (plan.rows, plan.cols))
    sums = np.zeros((classes, plan.rows.length * factor, plan.cols.length * factor), np.float32)
    for window in plan:
        weights = np.outer(
            rows[plan.rows.starts.index(window.row_off)],
            cols[plan.cols.starts.index(window.col_off)],
        )
        target = window.scaled(factor)
        sums[:, target.rows, target.cols] += windows[window] * weights
    return sums.argmax(axis=0)


class TestRowBlender:
    @given(window_plans(), st.sampled_from([1, 2]), st.integers(1, 4), st.integers(0, 2**32 - 1))
    def test_equals_the_whole_map_blended_at_once(self, plan, factor, classes, seed):
        rng = np.random.default_rng(seed)
        size = (plan.rows.window_size * factor, plan.cols.window_size * factor)
        windows = {window: rng.random((classes, *size), np.float32) for window in plan}
        np.testing.assert_array_equal(
            np.concatenate(blended(plan, factor, classes, windows)),
            naively_blended(plan, factor, classes, windows),
        )

    @given(window_plans(), st.sampled_from([1, 2]), st.integers(1, 5), st.integers(0, 2**32 - 1))
    def test_split_and_stitch_of_an_identity_model_gives_the_input_back(
        self, plan, factor, classes, seed
    ):
        shape = (plan.rows.length * factor, plan.cols.length * factor)
        labels = np.random.default_rng(seed).integers(0, classes, shape, np.uint8)
        probabilities = np.eye(classes, dtype=np.float32)[labels].transpose(2, 0, 1)
        targets = {window: window.scaled(factor) for window in plan}
        windows = {w: probabilities[:, target.rows, target.cols] for w, target in targets.items()}
        np.testing.assert_array_equal(
            np.concatenate(blended(plan, factor, classes, windows)), labels
        )

    @given(window_plans(), st.sampled_from([1, 2]))
    def test_gives_out_every_row_once_as_soon_as_it_is_finished(self, plan, factor):
        size = (plan.rows.window_size * factor, plan.cols.window_size * factor)
        windows = dict.fromkeys(plan, np.ones((1, *size), np.float32))
        blocks = blended(plan, factor, 1, windows)
        heights = [block.shape[0] for block in blocks]
        assert [sum(heights[: k + 1]) for k in range(len(blocks))] == [
            stop * factor for stop in plan.rows.finished
        ]
        assert {block.shape[1] for block in blocks} == {plan.cols.length * factor}
        assert {block.dtype for block in blocks} == {np.dtype(np.uint8)}

    def test_never_uses_what_a_window_says_in_its_halo(self):
        span = Span(length=28, window_size=16, starts=(0, 12), halo=1, ramp=2)
        plan = WindowPlan(span, span)
        labels = np.random.default_rng(0).integers(0, 3, (28, 28))
        truth = np.eye(3, dtype=np.float32)[labels].transpose(2, 0, 1)

        def lying_in_its_halo(window):
            told = truth[:, window.rows, window.cols].copy()
            rows = slice(window.row_off > 0, 16 - (window.row_stop < 28))
            cols = slice(window.col_off > 0, 16 - (window.col_stop < 28))
            lie = np.full_like(told, np.nan)
            lie[:, rows, cols] = told[:, rows, cols]
            return lie

        windows = {window: lying_in_its_halo(window) for window in plan}
        np.testing.assert_array_equal(np.concatenate(blended(plan, 1, 3, windows)), labels)

    def test_windows_of_a_band_come_in_any_order(self):
        span = Span(length=28, window_size=16, starts=(0, 4, 12), halo=1, ramp=2)
        plan = WindowPlan(span, span)
        rng = np.random.default_rng(0)
        windows = {window: rng.random((3, 16, 16), np.float32) for window in plan}
        blender = RowBlender(plan, factor=1, classes=3)
        blocks = []
        for band in range(3):
            for window in reversed(plan.band(band)):
                blender.add(window, windows[window])
            blocks.append(blender.finish(band))
        np.testing.assert_array_equal(
            np.concatenate(blocks), np.concatenate(blended(plan, 1, 3, windows))
        )
