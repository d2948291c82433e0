"""Blends overlapping windows into one map, and emits each part as soon as it is finished.

Along an axis window k has the weight ``rise_k - rise_(k+1)``, where ``rise_k`` is 0
up to the end of the window's halo, 1 behind its ramp, and the taper in between. The sum over
all windows telescopes to 1 at every pixel, for any offsets. In two dimensions the
weights are separable: the product of the row's and the column's.

Windows arrive from left to right and from top to bottom. So all that must be kept of a
window is the ramp on its right until the neighbour arrives, and the ramp below it until the
next strip arrives: memory for one ramp across the scene. Where a window is alone, nothing is
summed.
"""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Span, WindowPlan

ROWS, COLS = 1, 2
"""Axes of an array (channels, rows, cols)."""


def taper(length: int) -> NDArray[np.float32]:
    """Return the transition from one window to the next: a raised cosine from 0 to 1.

    Only this function decides its shape. Any rising curve with values in [0, 1] works: the
    weights always sum to one.

    Args:
        length: pixels of the ramp; 0 gives an empty array, a hard cut.

    Returns:
        (length,) weights of the incoming window at the pixel centres.
    """
    position = (np.arange(length) + 0.5) / max(length, 1)
    return ((1 - np.cos(np.pi * position)) / 2).astype(np.float32)


def blend_weights(span: Span, *, factor: int) -> list[NDArray[np.float32]]:
    """Return the weights of every window in its support, along one axis of the target grid.

    Returns:
        For each window (factor * support pixels,) weights in [0, 1]; over all windows they
        sum to 1 at every pixel of the axis.
    """
    ramp = np.concatenate([[0], taper(span.ramp * factor), [1]]).astype(np.float32)

    def rise(pixels: NDArray[np.intp], start: int) -> NDArray[np.float32]:
        """Return the rise of a window that starts at `start`: 0, then the ramp, then 1."""
        behind_halo = pixels - (start + span.halo) * factor
        return ramp[np.clip(behind_halo + 1, 0, ramp.size - 1)]

    weights = []
    for k, (first, stop) in enumerate(span.supports):
        pixels = np.arange(first * factor, stop * factor)
        own = rise(pixels, span.starts[k]) if k else np.ones(pixels.size, np.float32)
        if k + 1 < len(span.starts):
            own = own - rise(pixels, span.starts[k + 1])
        weights.append(own)
    return weights


class WindowBlender:
    """Takes the windows of a plan in order, and returns the pixels that each one finishes.

    Args:
        plan: the windows, in LR pixels.
        factor: target pixels per LR pixel, along each axis.
        channels: channels of the arrays to blend.
        first_strip: strip of the first window.
    """

    def __init__(
        self, plan: WindowPlan, *, factor: int, channels: int, first_strip: int = 0
    ) -> None:
        self._rows, self._cols = (_shares(span, factor) for span in (plan.rows, plan.cols))
        deepest = max(share.carried for share in self._rows)
        self._below = np.zeros((channels, deepest, plan.cols.length * factor), np.float32)
        self._right: NDArray[np.float32] | None = None
        self._count = first_strip * len(self._cols)

    def add(self, values: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        """Add the next window.

        Args:
            values: (channels, factor * height, factor * width), which is overwritten; None
                for a window that was not run because no pixel of its support is needed.

        Returns:
            (channels, rows, cols), the part of the target grid that no later window
            changes: the window's core, see `WindowPlan.cores`. Adding the next window
            overwrites it. None if `values` is None.
        """
        strip, column = divmod(self._count, len(self._cols))
        rows, cols = self._rows[strip], self._cols[column]
        self._count += 1
        if column == 0:
            self._right = None
        below = self._below[:, :, cols.first : cols.first + cols.finished]
        if values is None:
            self._right = None
            below[:, : rows.carried] = 0
            return None
        block = values[:, rows.own, cols.own]
        rows.weigh(block, axis=ROWS)
        cols.weigh(block, axis=COLS)
        if self._right is not None:
            block[:, :, : self._right.shape[COLS]] += self._right
        self._right = block[:, :, cols.finished :].copy()
        block = block[:, :, : cols.finished]
        if strip:
            above = self._rows[strip - 1].carried
            block[:, :above] += below[:, :above]
        below[:, : rows.carried] = block[:, rows.finished :]
        return block[:, : rows.finished]


class _Share:
    """The contribution of one window along one axis, in target pixels.

    Attributes:
        own: the window's support, relative to the window's origin.
        first: first pixel of the support, relative to the scene's origin.
        finished: number of pixels of the support that no later window changes.
        carried: number of the remaining pixels of the support.
    """

    def __init__(
        self, start: int, support: tuple[int, int], finished: int, weights: NDArray[np.float32]
    ) -> None:
        self.own = slice(support[0] - start, support[1] - start)
        self.first = support[0]
        self.finished = finished - support[0]
        self.carried = support[1] - finished
        # Only the ramps are multiplied: between them the window is alone.
        alone = np.flatnonzero(weights == 1)
        front, back = (int(alone[0]), int(alone[-1]) + 1) if alone.size else (weights.size,) * 2
        self._ramps = [
            (slice(part.start, part.stop), weights[part])
            for part in (slice(0, front), slice(back, weights.size))
            if part.stop > part.start
        ]

    def weigh(self, block: NDArray[np.float32], *, axis: int) -> None:
        """Multiply a block, in place, by the weights along an axis."""
        for part, weights in self._ramps:
            if axis == ROWS:
                block[:, part] *= weights[:, None]
            else:
                block[:, :, part] *= weights


def _shares(span: Span, factor: int) -> list[_Share]:
    weights = blend_weights(span, factor=factor)
    return [
        _Share(start * factor, (first * factor, stop * factor), finished * factor, own)
        for start, (first, stop), finished, own in zip(
            span.starts, span.supports, span.finished, weights, strict=True
        )
    ]
