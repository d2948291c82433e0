"""Blending: how overlapping windows become one map, a few finished rows at a time.

Along an axis window k has the weight ``rise_k - rise_(k+1)``, where ``rise_k`` is 0
before the window's halo ends, 1 behind its ramp, and the taper in between. The sum over
all windows telescopes to 1 at every pixel, whatever the offsets. In two dimensions the
weights are separable: the product of the row's and the column's.
"""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.windows import Span, Window, WindowPlan

STRIP = 16
"""Rows whose maxima are looked for at once."""


def taper(length: int) -> NDArray[np.float32]:
    """The hand-over from one window to the next: a raised cosine from 0 to 1.

    This is the one place that decides its shape. Any rising curve with values in
    [0, 1] will do: the weights sum to one whatever it is.

    Args:
        length: pixels of the ramp; 0 gives an empty array, a hard cut.

    Returns:
        (length,) weights of the incoming window at the pixel centres.
    """
    position = (np.arange(length) + 0.5) / max(length, 1)
    return ((1 - np.cos(np.pi * position)) / 2).astype(np.float32)


def blend_weights(span: Span, *, factor: int) -> NDArray[np.float32]:
    """Weights of every window along one axis of the target grid.

    Args:
        span: the windows, in LR pixels.
        factor: the upscale factor.

    Returns:
        (windows, factor * window_size) weights in [0, 1]; over all windows they sum to 1
        at every pixel of the axis.
    """
    ramp = taper(span.ramp * factor)

    def rise(start: int) -> NDArray[np.float32]:
        curve = np.zeros(span.length * factor, np.float32)
        begin = (start + span.halo) * factor
        curve[begin : begin + ramp.size] = ramp
        curve[begin + ramp.size :] = 1
        return curve

    ones, zeros = np.ones((2, span.length * factor), np.float32) * [[1], [0]]
    rises = [ones, *(rise(start) for start in span.starts[1:]), zeros]
    return np.stack(
        [
            (rises[k] - rises[k + 1])[start * factor :][: span.window_size * factor]
            for k, start in enumerate(span.starts)
        ]
    ).astype(np.float32)


class RowBlender:
    """Adds up weighted probabilities and gives out labels of rows that are finished.

    It holds the rows of one band of windows, never the map: memory grows with the
    scene's width only. Windows come band by band, in any order within a band.

    Args:
        plan: the windows, in LR pixels.
        factor: the upscale factor.
        classes: number of classes.
    """

    def __init__(self, plan: WindowPlan, *, factor: int, classes: int) -> None:
        self._plan = plan
        self._factor = factor
        self._row_weights = blend_weights(plan.rows, factor=factor)
        self._col_weights = blend_weights(plan.cols, factor=factor)
        self._row_index = {start: k for k, start in enumerate(plan.rows.starts)}
        self._col_index = {start: k for k, start in enumerate(plan.cols.starts)}
        self._first_row = 0  # target row of the accumulator's first row
        shape = (classes, plan.rows.window_size * factor, plan.cols.length * factor)
        self._sums = np.zeros(shape, np.float32)

    def add(self, window: Window, probabilities: NDArray[np.float32]) -> None:
        """Add one window.

        Args:
            window: one of the plan's windows.
            probabilities: (classes, factor * height, factor * width).
        """
        target = window.scaled(self._factor)
        row_weights = self._row_weights[self._row_index[window.row_off]]
        col_weights = self._col_weights[self._col_index[window.col_off]]
        row_used, col_used = _support(row_weights), _support(col_weights)
        rows = _shifted(row_used, target.row_off - self._first_row)
        cols = _shifted(col_used, target.col_off)
        weights = row_weights[row_used, None] * col_weights[None, col_used]
        self._sums[:, rows, cols] += probabilities[:, row_used, col_used] * weights

    def finish(self, band: int) -> NDArray[np.uint8]:
        """Labels of the rows that no band after this one changes; they are then forgotten.

        Args:
            band: index of the band whose windows have all been added.

        Returns:
            (rows, width) class indices on the padded target grid, following on from the
            rows given out before.
        """
        stop = self._plan.rows.finished[band] * self._factor
        count = stop - self._first_row
        labels = _best_class(self._sums[:, :count])
        kept = self._sums.shape[1] - count
        self._sums[:, :kept] = self._sums[:, count:].copy()
        self._sums[:, kept:] = 0
        self._first_row = stop
        return labels


def _best_class(sums: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(classes, rows, width) -> (rows, width); in strips, for argmax counts in int64."""
    labels = np.empty(sums.shape[1:], np.uint8)
    for top in range(0, len(labels), STRIP):
        labels[top : top + STRIP] = sums[:, top : top + STRIP].argmax(axis=0)
    return labels


def _support(weights: NDArray[np.float32]) -> slice:
    """From the first to the last weight that is not zero."""
    used = np.flatnonzero(weights)
    return slice(int(used[0]), int(used[-1]) + 1)


def _shifted(part: slice, offset: int) -> slice:
    return slice(part.start + offset, part.stop + offset)
