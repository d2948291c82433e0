"""Finds small objects of the reference, the main purpose of super-resolution.

An object is a connected component of one class, corners included. The whole reference is searched,
so that no large object is cut into a small one. Objects that touch the edge of the scene may
continue beyond it and are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geosrseg.core.tiling.windows import Window

STRIP = 1024
"""Rows processed at a time; arrays of a whole scene are memory-mapped files."""

TOUCHING = np.ones((3, 3), np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class SmallObjects:
    """The small objects of one reference, numbered from 1.

    Attributes:
        numbers: (rows, cols) int32 number of the object at every pixel; 0 for none.
        label: (objects + 1,) class index of each object; entry 0 is unused, here and below.
        size: (objects + 1,) pixels of each object.
        first: (objects + 1, 2) row and column of the first pixel, from the top left.
    """

    numbers: NDArray[np.int32]
    label: NDArray[np.uint8]
    size: NDArray[np.int64]
    first: NDArray[np.int64]

    def count_pixels(self, window: Window, where: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return (objects + 1,) marked pixels of each object in a window; entry 0 is 0."""
        marked = self.numbers[window.rows, window.cols][where]
        counts = np.bincount(marked, minlength=len(self.label))
        counts[0] = 0
        return counts


def find_small_objects(
    reference: NDArray[np.uint8], *, classes: int, limit: int, folder: Path
) -> SmallObjects:
    """Find every object with less than `limit` pixels.

    Args:
        reference: (rows, cols) class indices; other values are ignored.
        folder: folder for files as large as the scene.
    """
    shape = reference.shape
    numbers = np.memmap(folder / "objects", np.int32, "w+", shape=shape)
    parts = np.memmap(folder / "parts", np.int32, "w+", shape=shape)
    labels, sizes = [np.zeros(1, np.uint8)], [np.zeros(1, np.int64)]
    count = 0
    for label in range(classes):
        found = int(ndimage.label(reference == label, TOUCHING, output=parts))
        pixels = sum(
            (np.bincount(parts[rows].ravel(), minlength=found + 1) for rows in _strips(shape)),
            start=np.zeros(found + 1, np.int64),
        )
        small = pixels < limit
        small[0] = False
        small[np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])] = False
        table = np.where(small, count + np.cumsum(small), 0).astype(np.int32)
        for rows in _strips(shape):
            numbers[rows] += table[parts[rows]]
        sizes.append(pixels[small])
        labels.append(np.full(len(sizes[-1]), label, np.uint8))
        count += len(sizes[-1])
    return SmallObjects(
        numbers, np.concatenate(labels), np.concatenate(sizes), _first(numbers, count)
    )


def _first(numbers: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Return (count + 1, 2) row and column of the first pixel of each number from 1."""
    first = np.zeros((count + 1, 2), np.int64)
    seen = np.zeros(count + 1, np.bool_)
    seen[0] = True
    for rows in _strips(numbers.shape):
        places = np.argwhere(numbers[rows])
        found, index = np.unique(numbers[rows][tuple(places.T)], return_index=True)
        new = ~seen[found]
        first[found[new]] = places[index[new]] + [rows.start, 0]
        seen[found] = True
    return first


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    for top in range(0, shape[0], STRIP):
        yield slice(top, min(top + STRIP, shape[0]))
