"""The rules of a mosaic: which class a pixel gets where several maps have one.

A rule reads the maps that overlap a window and returns (channels, rows, cols): class ids, and if
known percent of confidence and of doubt. All are NODATA where no map has a class.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.labels import CERTAIN
from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.tiling.windows import Window
from geosrseg.raster.maps.class_map import CERTAINTY
from geosrseg.raster.maps.map_on_grid import MapOnGrid

Rule = Callable[..., NDArray[np.uint8]]
"""Takes the maps, the window, and the common `legend` of the maps."""

MOST_NUMBERS = 2**23
"""Most probabilities summed at a time."""


def first(placed: Sequence[MapOnGrid], window: Window, *, legend: Legend) -> NDArray[np.uint8]:
    """Return the class of the first map that has one."""
    labels = np.full((window.height, window.width), NODATA, np.uint8)
    for item in placed:
        empty = labels == NODATA
        if not empty.any():
            break
        labels[empty] = item.read(window)[empty]
    return labels[None]


def surest(placed: Sequence[MapOnGrid], window: Window, *, legend: Legend) -> NDArray[np.uint8]:
    """Return the label with the highest confidence, then the least doubt, then of the first map."""
    best = np.full((3, window.height, window.width), NODATA, np.uint8)
    highest = np.full(best.shape[1:], -1, np.int16)
    for item in placed:
        found = np.concatenate([item.read(window)[None], item.read_confidence(window)])
        labels, percent, doubt = found.astype(np.int16)
        rank = np.where(labels == NODATA, -1, percent * (CERTAIN + 1) + CERTAIN - doubt)
        better = rank > highest
        best[:, better], highest[better] = found[:, better], rank[better]
    return best


def likeliest(placed: Sequence[MapOnGrid], window: Window, *, legend: Legend) -> NDArray[np.uint8]:
    """Return the class with the highest mean probability over the maps that have a class.

    Where only one map has a class, that class is kept, because it came from unrounded
    probabilities. The percent are the winner's mean probability and the mean doubt of these maps;
    the doubt is NODATA if one of them has no confidence layer.
    """
    found = np.full((3, window.height, window.width), NODATA, np.uint8)
    for part in _pieces(window, len(legend)):
        cols = slice(part.col_off - window.col_off, part.col_stop - window.col_off)
        found[:, :, cols] = _mean(placed, part, legend)
    return found


def _pieces(window: Window, classes: int) -> Iterator[Window]:
    """Split a window into columns with at most `MOST_NUMBERS` probabilities."""
    step = max(MOST_NUMBERS // (window.height * classes), 1)
    for col_off in range(window.col_off, window.col_stop, step):
        width = min(step, window.col_stop - col_off)
        yield Window(window.row_off, col_off, window.height, width)


def _mean(placed: Sequence[MapOnGrid], window: Window, legend: Legend) -> NDArray[np.uint8]:
    """Return (3, rows, cols) class ids, percent of confidence and of doubt."""
    shape = (window.height, window.width)
    sums = np.zeros((len(legend), *shape), np.int32)
    votes, single = np.zeros(shape, np.int32), np.zeros(shape, np.uint8)
    doubts, unclear = np.zeros(shape, np.int32), np.zeros(shape, np.bool_)
    index = legend.index_table()
    for item in placed:
        found, shares = item.read(window), item.read_probabilities(window)
        known = (found != NODATA) & (shares != NODATA).all(axis=0)
        for entry, share in zip(item.class_map.legend.classes, shares, strict=True):
            sums[index[entry.id]] += np.where(known, share, np.uint8(0))
        votes += known
        if item.class_map.confidence_path is None:
            unclear |= known
        else:
            doubts += np.where(known, item.read_confidence(window)[1], np.uint8(0))
        np.copyto(single, index[found], where=known)
    winner = np.where(votes == 1, single, sums.argmax(axis=0).astype(np.uint8))
    won = np.take_along_axis(sums, winner[None].astype(np.intp), axis=0)[0]
    voters, empty = np.maximum(votes, 1), votes == 0
    percent = np.rint(100 * won / (CERTAINTY * voters))
    doubt = np.where(unclear, NODATA, np.rint(doubts / voters))
    found = np.stack([legend.id_table()[winner], percent, doubt]).astype(np.uint8)
    found[:, empty] = NODATA
    return found
