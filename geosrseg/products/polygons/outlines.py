"""Outlines: the borders of components as rings of grid corners.

A ring turns by a right angle at each corner, so its corners define it: along each row of the grid,
the corners of a component pair up to the horizontal sides of its rings, along each column to the
vertical sides. Following the sides closes the rings. The four pixels around a point determine its
corners, independent of other parts of a component, so the borders of strips leave no trace.

Where three or more components meet in the middle of a straight side, that point is a vertex too.
So neighbours have the same vertices along their common border, which stays common when they are
reprojected or simplified.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA

Int = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Corners:
    """Corners of rings; each is the end of one horizontal and one vertical side.

    Attributes:
        component: (n,) component of the ring, from 1.
        col: (n,) pixel column to the right of the corner.
        row: (n,) pixel row below the corner.
        right: (n,) whether the horizontal side leads to the right.
        down: (n,) whether the vertical side leads down.
        ahead: (n,) whether the component is on the left, as seen on the map, when the horizontal
            side is followed from here.
    """

    component: Int
    col: Int
    row: Int
    right: NDArray[np.bool_]
    down: NDArray[np.bool_]
    ahead: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.component)

    def __getitem__(self, chosen: NDArray[np.generic]) -> "Corners":
        return Corners(*(values[chosen] for values in self._columns()))

    def renumbered(self, numbers: Int) -> "Corners":
        """The corners with ``numbers[component]`` in place of each component."""
        return Corners(numbers[self.component], *self._columns()[1:])

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.component, self.col, self.row, self.right, self.down, self.ahead

    @classmethod
    def empty(cls) -> "Corners":
        none, no = np.zeros(0, np.int32), np.zeros(0, np.bool_)
        return cls(none, none, none, no, no, no)

    @classmethod
    def joined(cls, parts: list["Corners"]) -> "Corners":
        """All corners of several parts."""
        return cls(*map(np.concatenate, zip(*(part._columns() for part in parts), strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """Polygons of grid corners, as shapely's ragged arrays.

    Attributes:
        vertices: (vertices, 2) column and row; the first vertex of a ring is also its last.
        ring_offsets: (rings + 1,) start of each ring among the vertices.
        polygon_offsets: (polygons + 1,) start of each polygon among the rings. The first ring is
            the outline, counter-clockwise as seen on the map; the others are holes, clockwise.
    """

    vertices: Int
    ring_offsets: NDArray[np.int64]
    polygon_offsets: NDArray[np.int64]


def find_corners(labels: NDArray[np.uint8], ids: Int, *, row_off: int) -> Corners:
    """Find the corners between the rows of a strip.

    Only adjacent pixels are compared, so components may still turn out to be connected further
    down.

    Args:
        labels: (rows, width) class ids or NODATA; corners above the first and below the last row
            are not found.
        ids: (rows, width) component of every pixel, 0 for none.
        row_off: row of the grid of the first row.
    """
    nw, ne, sw, se = _quadrants(labels, outside=NODATA)
    straight = ((nw == sw) & (ne == se)) | ((nw == ne) & (sw == se))
    row, col = np.nonzero(~straight)
    nw, ne, sw, se = (part[row, col] for part in (nw, ne, sw, se))
    components = [part[row, col] for part in _quadrants(ids, outside=0)]
    cols, rows = col.astype(np.int32), (row + row_off + 1).astype(np.int32)
    parts = []
    for place, where, right, down, ahead in (*_turns(nw, ne, sw, se), *_meetings(nw, ne, sw, se)):
        there = where & (components[place] > 0)
        size = int(np.count_nonzero(there))
        flags = (np.full(size, flag) for flag in (right, down, ahead))
        parts.append(Corners(components[place][there], cols[there], rows[there], *flags))
    return Corners.joined(parts)


def trace_rings(corners: Corners, count: int) -> Rings:
    """Close the rings of whole components.

    Args:
        corners: all corners of components 1 to `count`.

    Returns:
        One polygon per component, in order. No ring touches itself, and rings touch each other
        only in points.
    """
    corners = _parted(corners)
    across = _partners(corners.component, corners.row, corners.col, corners.right)
    along = _partners(corners.component, corners.col, corners.row, corners.down)
    order, lengths = _follow(along[across], np.flatnonzero(corners.ahead))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    width = corners.col[across[order]].astype(np.int64) - corners.col[order]
    hole = np.add.reduceat(corners.row[order] * width, starts) < 0  # sign of the ring's area
    component = corners.component[order[starts]]
    rank = np.lexsort((hole, component))
    points = np.stack([order, across[order]], axis=1).reshape(-1)
    vertices = np.stack([corners.col[points], corners.row[points]], axis=1)
    closed, ring_offsets = _close(vertices, 2 * starts[rank], 2 * lengths[rank])
    polygons = np.searchsorted(component[rank], np.arange(1, count + 2))
    return Rings(closed, ring_offsets, polygons.astype(np.int64))


Found = tuple[int, NDArray[np.bool_], bool, bool, bool]
"""Quadrant of the component, where it has a corner, and right, down, ahead of `Corners`."""

_NW, _NE, _SW, _SE = range(4)


def _quadrants(pixels: NDArray[Any], *, outside: int) -> tuple[NDArray[Any], ...]:
    """The four pixels around every point between two rows, as views."""
    around = np.pad(pixels, ((0, 0), (1, 1)), constant_values=outside)
    return around[:-1, :-1], around[:-1, 1:], around[1:, :-1], around[1:, 1:]


def _turns(*labels: NDArray[np.uint8]) -> Iterator[Found]:
    """Corners where one quadrant differs from the others: its own, or that of the other three."""
    places = (
        (_NW, _NE, _SW, _SE),
        (_NE, _NW, _SE, _SW),
        (_SW, _SE, _NW, _NE),
        (_SE, _SW, _NE, _NW),
    )
    for place in places:
        own, beside, over, opposite = (labels[k] for k in place)
        right, down = place[0] in (_NE, _SE), place[0] in (_SW, _SE)
        alone = (own != beside) & (own != over)
        yield place[0], alone, right, down, right != down
        rest = (beside == opposite) & (over == opposite) & (own != opposite)
        yield place[3], rest, right, down, right == down


def _meetings(
    nw: NDArray[np.uint8], ne: NDArray[np.uint8], sw: NDArray[np.uint8], se: NDArray[np.uint8]
) -> Iterator[Found]:
    """Two corners at a point where two other components meet on a straight side."""
    north, south, west, east = nw == ne, sw == se, nw == sw, ne == se
    for place, where in (
        (_NW, north & ~south & ~west & ~east),
        (_SW, south & ~north & ~west & ~east),
        (_NW, west & ~east & ~north & ~south),
        (_NE, east & ~west & ~north & ~south),
    ):
        # Going right, the component above is on the left; going down, the one in the east.
        yield place, where, False, False, place != _NW
        yield place, where, True, True, place == _NW


def _parted(corners: Corners) -> Corners:
    """Separate rings where two pixels of a component touch only in a point.

    Following each pixel's own border would lead a ring through the point twice. Switching from one
    pixel to the other passes the point on both sides, which belong to different rings because the
    component runs between them.
    """
    corners = corners[_along(corners.component, corners.row, corners.col, corners.right)]
    twice = np.ones(max(len(corners) - 1, 0), np.bool_)
    for values in (corners.component, corners.row, corners.col, corners.ahead):
        twice &= values[1:] == values[:-1]
    first = np.flatnonzero(twice)
    for place in (first, first + 1):
        corners.down[place] = ~corners.down[place]
    return corners


def _along(
    component: Int, line: Int, position: Int, onward: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The order of corners along their rows or columns, component by component."""
    place = (line.astype(np.int64) << 32) + 2 * position.astype(np.int64) + onward
    return np.lexsort((place, component))


def _partners(
    component: Int, line: Int, position: Int, onward: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """(n,) the other end of every side along rows or columns of the grid."""
    order = _along(component, line, position, onward)
    partner = np.empty(len(order), np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    return partner


def _follow(
    following: NDArray[np.int64], starts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cycles of a permutation, concatenated, and the length of each."""
    order, lengths = array("q"), array("q")
    seen = bytearray(len(following))
    step = memoryview(following)
    for start in memoryview(starts):
        if seen[start]:
            continue
        node, before = start, len(order)
        while not seen[node]:
            seen[node] = 1
            order.append(node)
            node = step[node]
        lengths.append(len(order) - before)
    return np.array(order, np.int64), np.array(lengths, np.int64)


def _close(
    vertices: Int, starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[Int, NDArray[np.int64]]:
    """Concatenate rings, each closed and without repeated vertices."""
    sizes = lengths + 1
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    place[offsets[1:] - 1] = 0
    closed = vertices[np.repeat(starts, sizes) + place]
    keep = np.ones(len(closed), np.bool_)
    keep[1:] = (closed[1:] != closed[:-1]).any(axis=1)
    keep[offsets[:-1]] = True
    kept = np.concatenate([[0], np.cumsum(keep)])
    return closed[keep], kept[offsets]
