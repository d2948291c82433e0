"""Seam counts: how a tiled map differs from the map of one window, by distance to window borders.

The distance is to the nearest inner border of all windows that contribute to the pixel. Scene
edges do not count as borders, because a single window has them too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Span, WindowPlan

BIN = 8
"""Width of a distance bin in LR pixels."""


def border_distances(span: Span) -> NDArray[np.intp]:
    """Return the LR pixels from each pixel of an axis to the nearest border.

    Returns:
        (length,) at least 0; the length of the axis if there is no border.
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
    """Differences between a tiled map and the map of one window.

    Attributes:
        confusion: rows are labels of the single window, columns labels of the tiled map.
        pixels: (bins,) HR pixels by distance, `BIN` LR pixels per bin.
        changed: (bins,) HR pixels whose label differs.
    """

    confusion: ConfusionMatrix
    pixels: NDArray[np.int64]
    changed: NDArray[np.int64]

    @property
    def share_changed(self) -> float:
        """Share of labels that differ; NaN if no pixel counts."""
        return 1 - self.confusion.overall_accuracy


def count_seams(
    whole: NDArray[np.uint8],
    tiled: NDArray[np.uint8],
    plan: WindowPlan,
    *,
    factor: int,
    classes: int,
) -> SeamCounts:
    """Compare a tiled map with the map of one window.

    Args:
        whole: (rows, cols) class indices on the plan's target grid, from one window; NODATA
            where a pixel does not count.
        tiled: the same from the windows of `plan`.
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
