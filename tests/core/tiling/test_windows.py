import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.tiling.windows import Span, Window, plan_span, plan_windows, round_up
from tests.core.strategies import Axis, axes, spans


class TestWindow:
    def test_grows_on_all_sides_as_far_as_the_grid_goes(self):
        window = Window(3, 10, 4, 5)
        assert window.grown(2, height=20, width=16) == Window(1, 8, 8, 8)
        assert window.grown(5, height=8, width=40) == Window(0, 5, 8, 15)

    def test_inside_another_it_cuts_out_the_same_ground(self):
        window = Window(3, 10, 4, 5)
        outer = window.grown(4, height=9, width=40)
        own = window.inside(outer)
        numbers = np.arange(360).reshape(9, 40)
        around = numbers[outer.rows, outer.cols]
        assert np.array_equal(around[own.rows, own.cols], numbers[window.rows, window.cols])

    def test_stops_and_slices(self):
        window = Window(2, 3, 4, 5)
        assert (window.row_stop, window.col_stop) == (6, 8)
        assert np.ones((10, 10))[window.rows, window.cols].shape == (4, 5)

    def test_scaled_covers_the_same_ground(self):
        assert Window(2, 3, 4, 5).scaled(4) == Window(8, 12, 16, 20)

    def test_clipped_leaves_the_part_inside(self):
        assert Window(2, 3, 4, 5).clipped(5, 6) == Window(2, 3, 3, 3)
        assert Window(2, 3, 4, 5).clipped(50, 60) == Window(2, 3, 4, 5)

    def test_clipped_of_a_window_outside_is_refused(self):
        with pytest.raises(ValueError, match="at least one pixel"):
            Window(2, 3, 4, 5).clipped(2, 60)

    @pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
    def test_has_pixels(self, size):
        with pytest.raises(ValueError, match="at least one pixel"):
            Window(0, 0, *size)

    @pytest.mark.parametrize("offsets", [(-1, 0), (0, -1)])
    def test_begins_inside_the_scene(self, offsets):
        with pytest.raises(ValueError, match="starts inside"):
            Window(*offsets, 1, 1)


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_round_up_gives_the_nearest_multiple_above(value, multiple):
    rounded = round_up(value, multiple)
    assert rounded % multiple == 0
    assert value <= rounded < value + multiple


class TestPlanSpan:
    @given(axes())
    def test_covers_every_pixel_and_stays_inside_the_padded_scene(self, axis):
        span = axis.plan()
        covered = np.zeros(span.length, bool)
        for start in span.starts:
            assert 0 <= start <= span.length - span.window_size
            covered[start : start + span.window_size] = True
        assert covered.all()

    @given(axes())
    def test_pads_to_the_multiple_and_no_further(self, axis):
        assert axis.plan().length == round_up(axis.length, axis.multiple)

    @given(axes())
    def test_windows_begin_and_end_on_the_multiple(self, axis):
        span = axis.plan()
        assert span.window_size % axis.multiple == 0
        assert all(start % axis.multiple == 0 for start in span.starts)

    @given(axes())
    def test_no_window_is_larger_than_allowed_or_lies_beyond_the_scene(self, axis):
        span = axis.plan()
        assert span.window_size <= axis.window_size
        assert all(start < axis.length for start in span.starts)

    @given(axes())
    def test_neighbours_overlap_by_two_halos_and_a_ramp(self, axis):
        span = axis.plan()
        for left, right in zip(span.starts, span.starts[1:], strict=False):
            assert left < right <= left + span.window_size - 2 * axis.halo - axis.ramp

    @given(axes())
    def test_uses_the_fewest_windows_and_then_the_smallest(self, axis):
        span = axis.plan()
        if len(span.starts) == 1:
            return
        assert axis.window_size // axis.multiple * axis.multiple < span.length
        overlap = round_up(2 * axis.halo + axis.ramp, axis.multiple)

        def reach(count, window_size):
            return count * (window_size - overlap) + overlap

        fewer = len(span.starts) - 1
        assert reach(fewer, axis.window_size // axis.multiple * axis.multiple) < span.length
        smaller = span.window_size - axis.multiple
        assert reach(len(span.starts), smaller) < span.length

    def test_a_scene_smaller_than_a_window_is_one_window(self):
        span = plan_span(1, window_size=256, halo=8, ramp=16, multiple=8)
        assert (span.starts, span.window_size, span.length) == ((0,), 8, 8)

    def test_windows_that_do_not_advance_are_refused_with_the_remedy(self):
        with pytest.raises(ValueError, match=r"windows of 39 .* use at least 40"):
            plan_span(1000, window_size=39, halo=8, ramp=16, multiple=8)
        plan_span(1000, window_size=40, halo=8, ramp=16, multiple=8)

    @pytest.mark.parametrize(
        "wrong", [{"length": 0}, {"multiple": 0}, {"halo": -1}, {"ramp": -1}, {"length": -5}]
    )
    def test_lengths_are_positive(self, wrong):
        axis = {"length": 100, "window_size": 64, "halo": 4, "ramp": 4, "multiple": 8} | wrong
        with pytest.raises(ValueError, match="positive lengths"):
            Axis(**axis).plan()


class TestSpan:
    @given(spans())
    def test_finished_rises_to_the_end_and_never_into_a_later_window(self, span):
        assert len(span.finished) == len(span.starts)
        assert span.finished[-1] == span.length
        assert all(a < b for a, b in zip(span.finished, span.finished[1:], strict=False))
        for finished, following in zip(span.finished, span.starts[1:], strict=False):
            assert finished == following + span.halo

    @given(spans())
    def test_cores_cover_the_axis_once_each_inside_its_own_window(self, span):
        count = np.zeros(span.length, int)
        for start, (first, stop) in zip(span.starts, span.cores, strict=True):
            assert start <= first < stop <= start + span.window_size
            count[first:stop] += 1
        assert (count == 1).all()

    @pytest.mark.parametrize(
        ("starts", "why"),
        [
            ((), "no window"),
            ((4, 20), "begins late"),
            ((0, 19), "ends early"),
            ((0, 21), "ends outside"),
            ((0, 4, 4, 20), "no advance"),
            ((0, 20, 10, 20), "goes back"),
            ((0, 18, 20), "overlap too small"),
        ],
    )
    def test_starts_that_do_not_cover_are_refused(self, starts, why):
        with pytest.raises(ValueError, match="axis"):
            Span(length=40, window_size=20, starts=starts, halo=1, ramp=2)

    @pytest.mark.parametrize("wrong", [{"halo": -1}, {"ramp": -1}, {"length": 0, "window_size": 0}])
    def test_lengths_are_not_negative(self, wrong):
        span = {"length": 20, "window_size": 20, "starts": (0,), "halo": 1, "ramp": 2} | wrong
        with pytest.raises(ValueError, match="no negative lengths"):
            Span(**span)


class TestPlanWindows:
    @given(axes(), st.integers(1, 200), st.integers(1, 200))
    def test_windows_cover_the_scene_strip_by_strip(self, axis, height, width):
        plan = plan_windows(
            height,
            width,
            window_size=axis.window_size,
            halo=axis.halo,
            ramp=axis.ramp,
            multiple=axis.multiple,
        )
        covered = np.zeros((plan.rows.length, plan.cols.length), bool)
        for window in plan:
            covered[window.rows, window.cols] = True
            inside = window.clipped(height, width)  # every window touches the scene
            assert (inside.row_off, inside.col_off) == (window.row_off, window.col_off)
        assert covered.all()
        assert len(list(plan)) == len(plan)
        strips = [plan.strip(k) for k in range(len(plan.rows.starts))]
        assert [window for strip in strips for window in strip] == list(plan)
        assert all(len({window.row_off for window in strip}) == 1 for strip in strips)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Window(0, 0, 9, 9), Window(2, 3, 4, 5)),
        (Window(4, 1, 9, 4), Window(4, 3, 2, 2)),
        (Window(6, 3, 1, 1), None),
        (Window(2, 8, 4, 1), None),
    ],
)
def test_the_overlap_is_the_ground_of_both(other, expected):
    window = Window(2, 3, 4, 5)
    assert window.overlap(other) == other.overlap(window) == expected
