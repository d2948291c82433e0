"""The sieve: merges components that are too small into their largest neighbours.

It takes two passes over a class map. The first collects components and their neighbours, strip by
strip (at most some 300 bytes each), and merges them. The second gives every component its new
class. Valid pixels stay valid, so no area is lost.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.products.polygons.components import join, label_components

Pairs = NDArray[np.int64]


class Sieve:
    """Takes the rows of a class map from top to bottom; `smoother` then changes them."""

    def __init__(self, width: int, pixel_areas: PixelAreas) -> None:
        self._pixel_areas = pixel_areas
        self._rows = 0
        self._ids = np.zeros(width, np.int64)  # of all strips, from 1
        self._classes: list[NDArray[np.uint8]] = []
        self._areas: list[NDArray[np.float64]] = []
        self._touching: list[Pairs] = []
        self._known = 0

    def add(self, labels: NDArray[np.uint8]) -> None:
        """Add a strip of rows.

        Args:
            labels: (rows, width) class ids or NODATA, at least one row.
        """
        strip = label_components(labels)
        ids = np.where(strip.ids > 0, strip.ids + np.int64(self._known), 0)
        rows = np.concatenate([self._ids[None], ids])
        sides = [(rows[:-1], rows[1:]), (ids[:, :-1], ids[:, 1:])]
        pairs = [np.stack([a[a != b], b[a != b]], axis=1) for a, b in sides]
        self._touching.append(_distinct(np.concatenate(pairs)))
        numbers = range(self._rows, self._rows + len(labels))
        areas = np.stack([self._pixel_areas.row(row) for row in numbers])
        self._areas.append(strip.sum(areas))
        self._classes.append(strip.classes)
        self._known += len(strip)
        self._rows += len(labels)
        self._ids = ids[-1]

    def smoother(self, min_area: float) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
        """The function that changes the map, after the whole map has been added.

        Args:
            min_area: square metres. A smaller component merges into its largest neighbour,
                repeatedly while both together are smaller. A component surrounded by nodata is
                not changed.

        Returns:
            A function of (rows, width) labels, to call with the same strips in the same order.
        """
        classes = np.concatenate([np.zeros(0, np.uint8), *self._classes])
        areas = np.concatenate([np.zeros(0), *self._areas])
        pairs = np.concatenate([np.zeros((0, 2), np.int64), *self._touching])
        pairs = pairs[(pairs > 0).all(axis=1)] - 1
        new = _merge(classes, areas, pairs, min_area)
        done = 0

        def smooth(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
            nonlocal done
            strip = label_components(labels)
            table = np.concatenate([[np.uint8(NODATA)], new[done : done + len(strip)]])
            done += len(strip)
            return table[strip.ids]

        return smooth


def _merge(
    classes: NDArray[np.uint8], areas: NDArray[np.float64], pairs: Pairs, min_area: float
) -> NDArray[np.uint8]:
    """(components,) classes after merging; `pairs` are neighbours."""
    group = np.arange(len(classes), dtype=np.int64)
    while True:
        one, other = pairs.T
        joined = pairs[classes[one] == classes[other]]
        if not len(joined):
            joined = _to_largest(areas, pairs, min_area)
        if not len(joined):
            return classes[group]
        merged = join(len(classes), *joined.T).astype(np.int64)
        largest = np.lexsort((-areas, merged))
        _, first = np.unique(merged[largest], return_index=True)
        classes = classes[largest[first]]
        areas = np.bincount(merged, weights=areas).astype(np.float64)
        pairs = merged[pairs]
        pairs = _distinct(pairs[pairs[:, 0] != pairs[:, 1]])
        group = merged[group]


def _to_largest(areas: NDArray[np.float64], pairs: Pairs, min_area: float) -> Pairs:
    """Pairs of every group that is too small with its largest neighbour."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[areas[both[:, 0]] < min_area]
    order = np.lexsort((both[:, 1], -areas[both[:, 1]], both[:, 0]))
    _, first = np.unique(both[order, 0], return_index=True)
    return both[order][first]


def _distinct(pairs: Pairs) -> Pairs:
    """Each pair once, the smaller number first."""
    low, high = np.sort(pairs, axis=1).T
    order = np.lexsort((high, low))
    low, high = low[order], high[order]
    new = np.ones(len(low), np.bool_)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return np.stack([low[new], high[new]], axis=1)
