"""MapPolygons: traces the polygons of a class map while its rows arrive.

A polygon is returned with the strip below its last row. Until then its corners are kept, so memory
holds only unfinished polygons, not the map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.products.polygons.components import Components, join, label_components
from geosrseg.products.polygons.outlines import Corners, Rings, find_corners, trace_rings


@dataclass(frozen=True, slots=True, eq=False)
class MapPolygons:
    """Some polygons of a class map.

    Attributes:
        classes: (n,) class ids.
        pixels: (n,) pixel counts.
        square_metres: (n,) sums of the pixels' areas; NaN if they are not known.
        confidence: (n,) mean confidence in percent; NaN if no pixel has one.
        doubt: (n,) mean doubt in percent, of the same pixels.
        rings: outlines in columns and rows of the map.
    """

    classes: NDArray[np.uint8]
    pixels: NDArray[np.int64]
    square_metres: NDArray[np.float64]
    confidence: NDArray[np.float64]
    doubt: NDArray[np.float64]
    rings: Rings

    def __len__(self) -> int:
        return len(self.classes)


class PolygonTracer:
    """Takes the rows of a class map from top to bottom and returns its polygons.

    Args:
        width: columns of the map.
        pixel_areas: areas of the map's pixels; None if it is not georeferenced.
    """

    def __init__(self, width: int, pixel_areas: PixelAreas | None) -> None:
        self._pixel_areas = pixel_areas
        self._rows = 0
        # The last row and its components, which may continue in the rows below.
        self._labels = np.full((1, width), NODATA, np.uint8)
        self._ids = np.zeros((1, width), np.int32)
        self._classes = np.zeros(0, np.uint8)
        self._sums = np.zeros((0, 5))
        self._corners = Corners.empty()

    def add(
        self, labels: NDArray[np.uint8], confidence: NDArray[np.uint8] | None = None
    ) -> MapPolygons:
        """Add a strip of rows.

        Args:
            labels: (rows, width) class ids or NODATA, at least one row.
            confidence: (2, rows, width) percent of confidence and of doubt, or NODATA.

        Returns:
            The polygons that end above the strip's last row.
        """
        strip, known = label_components(labels), len(self._classes)
        seam = (self._labels[0] == labels[0]) & (self._ids[0] > 0)
        upper, lower = self._ids[0][seam] - 1, strip.ids[0][seam] - 1
        groups = join(known + len(strip), upper, known + lower) + 1
        before, after = _table(groups[:known]), _table(groups[known:])
        ids = np.concatenate([before[self._ids], after[strip.ids]])
        rows = np.concatenate([self._labels, labels])
        found = find_corners(rows, ids, row_off=self._rows - 1)
        sums = np.concatenate([self._sums, self._measure(strip, confidence)])
        classes = np.zeros(groups.max(initial=0), np.uint8)
        classes[groups - 1] = np.concatenate([self._classes, strip.classes])
        self._corners = Corners.joined([self._corners.renumbered(before), found])
        self._sums = _add_up(sums, groups)
        self._classes, self._labels, self._ids = classes, labels[-1:].copy(), ids[-1:]
        self._rows += len(labels)
        return self._take_ended()

    def finish(self) -> MapPolygons:
        """The polygons that reach the map's last row."""
        return self.add(np.full_like(self._labels, NODATA))

    def _measure(
        self, strip: Components, confidence: NDArray[np.uint8] | None
    ) -> NDArray[np.float64]:
        """(n, 5) pixels, square metres, sums of confidence and doubt, pixels that have them."""
        nothing = np.zeros(len(strip))
        sums = [strip.sum(), nothing, nothing, nothing, nothing]
        if self._pixel_areas is not None:
            rows = range(self._rows, self._rows + len(strip.ids))
            sums[1] = strip.sum(np.stack([self._pixel_areas.row(row) for row in rows]))
        if confidence is not None:
            known = confidence[0] != NODATA
            sums[2:4] = (strip.sum(np.where(known, percent, 0)) for percent in confidence)
            sums[4] = strip.sum(known)
        return np.stack(sums, axis=1)

    def _take_ended(self) -> MapPolygons:
        """Separate polygons that have ended from those in the last row."""
        open_ = np.zeros(len(self._classes) + 1, np.bool_)
        open_[self._ids] = True
        ended = ~open_[1:]
        numbers = np.zeros(len(open_), np.int32)
        numbers[1:] = np.where(ended, np.cumsum(ended), np.cumsum(~ended))
        corners = self._corners.renumbered(numbers)
        of_ended = np.concatenate([[False], ended])[self._corners.component]
        rings = trace_rings(corners[of_ended], int(np.count_nonzero(ended)))
        classes, (pixels, area, sure, unsure, known) = self._classes[ended], self._sums[ended].T
        self._classes, self._sums = self._classes[~ended], self._sums[~ended]
        self._corners, self._ids = corners[~of_ended], numbers[self._ids]
        unknown = np.full(len(classes), np.nan)
        return MapPolygons(
            classes,
            pixels=pixels.astype(np.int64),
            square_metres=unknown if self._pixel_areas is None else area,
            confidence=np.divide(sure, known, out=unknown.copy(), where=known > 0),
            doubt=np.divide(unsure, known, out=unknown.copy(), where=known > 0),
            rings=rings,
        )


def _table(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """A lookup table of new numbers by old ones; 0 stays 0."""
    return np.concatenate([np.zeros(1, np.int32), numbers])


def _add_up(sums: NDArray[np.float64], groups: NDArray[np.int32]) -> NDArray[np.float64]:
    """(groups, columns) sums of the rows per group; groups are numbered from 1."""
    columns = [np.bincount(groups, weights=column)[1:] for column in sums.T]
    return np.stack(columns, axis=1)
