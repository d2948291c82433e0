import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.tiling import blending
from geosrseg.core.tiling.blending import WindowBlender, blend_weights, taper
from geosrseg.core.tiling.windows import Span, WindowPlan
from tests.core.strategies import axes, spans, window_plans

factors = st.sampled_from([1, 2, 3, 4])

TAPERS = {
    "linear": lambda length: (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1),
    "cut in the middle": lambda length: (np.arange(length) >= length // 2).astype(np.float32),
    "new window at once": lambda length: np.ones(length, np.float32),
    "old window to the end": lambda length: np.zeros(length, np.float32),
    "square": lambda length: np.square(np.linspace(0, 1, length, dtype=np.float32)),
}


def sums_along_axis(span: Span, factor: int) -> np.ndarray:
    sums = np.zeros(span.length * factor)
    weights = blend_weights(span, factor=factor)
    for (first, stop), own in zip(span.supports, weights, strict=True):
        sums[first * factor : stop * factor] += own
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
        assert [own.size for own in weights] == [(b - a) * factor for a, b in span.supports]
        for own in weights:
            assert own.dtype == np.float32
            assert (own >= 0).all()
            assert (own <= 1).all()
        assert weights[0][0] == weights[-1][-1] == 1  # there is nothing beyond the scene's edge

    @given(spans())
    def test_without_a_ramp_are_the_cores(self, span):
        hard = Span(span.length, span.window_size, span.starts, span.halo, ramp=0)
        assert hard.supports == hard.cores
        assert all((own == 1).all() for own in blend_weights(hard, factor=1))

    @pytest.mark.parametrize("shape", TAPERS)
    def test_sum_to_one_whatever_the_taper(self, shape, monkeypatch):
        monkeypatch.setattr(blending, "taper", TAPERS[shape])

        @given(spans(), factors)
        def check(span, factor):
            np.testing.assert_allclose(sums_along_axis(span, factor), 1, atol=1e-6)
            assert all((own >= 0).all() for own in blend_weights(span, factor=factor))

        check()


def blended(plan: WindowPlan, factor: int, channels: int, windows: dict) -> np.ndarray:
    """Assemble the whole target grid from the outputs of a WindowBlender."""
    blender = WindowBlender(plan, factor=factor, channels=channels)
    size = (plan.rows.length * factor, plan.cols.length * factor)
    whole = np.full((channels, *size), np.nan, np.float32)
    for window, core in plan.cores():
        values = windows[window]
        block = blender.add(None if values is None else values.copy())
        if block is not None:
            target = core.scaled(factor)
            assert np.isnan(whole[:, target.rows, target.cols]).all()  # not given out before
            whole[:, target.rows, target.cols] = block
    return whole


def naively_blended(plan: WindowPlan, factor: int, channels: int, windows: dict) -> np.ndarray:
    """Compute the same blend as one large sum."""
    rows, cols = (blend_weights(span, factor=factor) for span in (plan.rows, plan.cols))
    size = (plan.rows.length * factor, plan.cols.length * factor)
    sums = np.zeros((channels, *size), np.float64)
    for k, window in enumerate(plan):
        row, col = divmod(k, len(plan.cols.starts))
        support = plan.support(window).scaled(factor)
        own = support.inside(window.scaled(factor))
        weights = np.outer(rows[row], cols[col])
        sums[:, support.rows, support.cols] += windows[window][:, own.rows, own.cols] * weights
    return sums


def random_windows(plan: WindowPlan, factor: int, channels: int, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    size = (plan.rows.window_size * factor, plan.cols.window_size * factor)
    return {window: rng.random((channels, *size), np.float32) for window in plan}


seeds = st.integers(0, 2**32 - 1)


class TestWindowBlender:
    @given(window_plans(), st.sampled_from([1, 2]), st.integers(1, 4), seeds)
    def test_equals_the_whole_map_blended_at_once(self, plan, factor, channels, seed):
        windows = random_windows(plan, factor, channels, seed)
        np.testing.assert_allclose(
            blended(plan, factor, channels, windows),
            naively_blended(plan, factor, channels, windows),
            atol=1e-6,
        )

    @given(window_plans(), st.sampled_from([1, 2]), st.integers(1, 5), seeds)
    def test_split_and_stitch_of_an_identity_model_gives_the_input_back(
        self, plan, factor, classes, seed
    ):
        shape = (plan.rows.length * factor, plan.cols.length * factor)
        labels = np.random.default_rng(seed).integers(0, classes, shape, np.uint8)
        probabilities = np.eye(classes, dtype=np.float32)[labels].transpose(2, 0, 1)
        targets = {window: window.scaled(factor) for window in plan}
        windows = {w: probabilities[:, target.rows, target.cols] for w, target in targets.items()}
        whole = blended(plan, factor, classes, windows)
        np.testing.assert_array_equal(whole.argmax(axis=0), labels)

    @given(window_plans(), st.sampled_from([1, 2]), seeds, st.data())
    def test_windows_left_out_change_nothing_outside_their_support(self, plan, factor, seed, data):
        windows = random_windows(plan, factor, 2, seed)
        left_out = data.draw(st.sets(st.sampled_from(list(plan))))
        expected = naively_blended(plan, factor, 2, windows)
        wanted = np.ones(expected.shape[1:], bool)
        for window in left_out:
            support = plan.support(window).scaled(factor)
            wanted[support.rows, support.cols] = False
        found = blended(plan, factor, 2, {**windows, **dict.fromkeys(left_out)})
        np.testing.assert_allclose(found[:, wanted], expected[:, wanted], atol=1e-6)

    def test_never_uses_what_a_window_says_in_its_halo(self):
        span = Span(length=28, window_size=16, starts=(0, 12), halo=1, ramp=2)
        plan = WindowPlan(span, span)
        truth = np.random.default_rng(0).random((3, 28, 28), np.float32)

        def lying_in_its_halo(window):
            told = truth[:, window.rows, window.cols].copy()
            rows = slice(window.row_off > 0, 16 - (window.row_stop < 28))
            cols = slice(window.col_off > 0, 16 - (window.col_stop < 28))
            lie = np.full_like(told, np.nan)
            lie[:, rows, cols] = told[:, rows, cols]
            return lie

        windows = {window: lying_in_its_halo(window) for window in plan}
        np.testing.assert_allclose(blended(plan, 1, 3, windows), truth, atol=1e-6)
