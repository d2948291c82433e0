"""Seams: where a map of many windows differs from the map of one, and how near their borders.

A pixel's distance is that to the nearest inner border of all windows that contribute to it.
The edges of the scene are no borders: there one window sees no less than another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Span, WindowPlan

BIN = 8
"""LR pixels of distance that are counted together."""


def border_distances(span: Span) -> NDArray[np.intp]:
    """LR pixels from each pixel of an axis to the nearest border.

    Returns:
        (length,) at least 0; the length of the axis where no border is felt.
    """
    pixels = np.arange(span.length)
    nearest = np.full(span.length, span.length)
    last = len(span.starts) - 1
    for k, (start, (first, stop)) in enumerate(zip(span.starts, span.supports, strict=True)):
        own = slice(first, stop)
        if k > 0:
            nearest[own] = np.minimum(nearest[own], pixels[own] - start)
        if k < last:
            nearest[own] = np.minimum(nearest[own], start + span.window_size - 1 - pixels[own])
    return nearest


@dataclass(frozen=True, slots=True, eq=False)
class SeamCounts:
    """What windows changed in a map.

    Attributes:
        confusion: rows are the labels of one window over everything, columns those of many.
        pixels: (bins,) HR pixels by distance, `BIN` LR pixels a bin.
        changed: (bins,) those of them whose label differs.
    """

    confusion: ConfusionMatrix
    pixels: NDArray[np.int64]
    changed: NDArray[np.int64]

    @property
    def share_changed(self) -> float:
        """Share of all labels that differ; NaN if none was counted."""
        return 1 - self.confusion.overall_accuracy


def count_seams(
    whole: NDArray[np.uint8],
    tiled: NDArray[np.uint8],
    plan: WindowPlan,
    *,
    factor: int,
    classes: int,
) -> SeamCounts:
    """Compare the labels of many windows with those of one.

    Args:
        whole: (rows, cols) class indices of the plan's target grid, NODATA where a pixel does
            not count.
        tiled: the same in windows.
        plan: the windows of `tiled`.
    """
    rows, cols = (border_distances(span) // BIN for span in (plan.rows, plan.cols))
    bins = np.minimum(rows[:, None], cols).repeat(factor, axis=0).repeat(factor, axis=1)
    counted = whole != NODATA
    different = counted & (whole != tiled)
    size = int(bins.max()) + 1
    return SeamCounts(
        confusion=ConfusionMatrix.of(whole, tiled, classes=classes),
        pixels=np.bincount(bins[counted], minlength=size),
        changed=np.bincount(bins[different], minlength=size),
    )
