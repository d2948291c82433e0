"""Hypothesis strategies for the values of `geosrseg.core`."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Span, WindowPlan, plan_span


@dataclass(frozen=True)
class Axis:
    """One axis of a scene, and the parameters of its windows."""

    length: int
    window_size: int
    halo: int
    ramp: int
    multiple: int

    def plan(self) -> Span:
        return plan_span(
            self.length,
            window_size=self.window_size,
            halo=self.halo,
            ramp=self.ramp,
            multiple=self.multiple,
        )


@st.composite
def axes(draw: st.DrawFn, *, longest: int = 300) -> Axis:
    """Axes that windows can cover: any multiple, halo, ramp, and sizes without common divisors."""
    multiple = draw(st.integers(1, 9))
    halo, ramp = draw(st.integers(0, 12)), draw(st.integers(0, 16))
    smallest = 2 * halo + ramp + 2 * multiple
    window_size = draw(st.integers(smallest, smallest + 40))
    return Axis(draw(st.integers(1, longest)), window_size, halo, ramp, multiple)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Valid spans, most of them more irregular than those that `plan_span` makes."""
    halo, ramp = draw(st.integers(0, 6)), draw(st.integers(0, 9))
    window_size = 2 * halo + ramp + draw(st.integers(1, 12))
    strides = draw(st.lists(st.integers(1, window_size - 2 * halo - ramp), max_size=8))
    starts = [0]
    for stride in strides:
        starts.append(starts[-1] + stride)
    return Span(starts[-1] + window_size, window_size, tuple(starts), halo, ramp)


@st.composite
def window_plans(draw: st.DrawFn) -> WindowPlan:
    """Plans of both axes, small enough to blend in full."""
    return WindowPlan(draw(spans()), draw(spans()))


@st.composite
def class_maps(draw: st.DrawFn, *, longest: int = 10) -> NDArray[np.uint8]:
    """Small class maps of few classes, in which pixels of one class often touch in a point."""
    shape = draw(st.tuples(st.integers(1, longest), st.integers(1, longest)))
    values = draw(st.sampled_from([(1,), (1, NODATA), (1, 2), (1, 2, NODATA), (1, 2, 5, NODATA)]))
    return draw(arrays(np.uint8, shape, elements=st.sampled_from(values)))
