"""Reads around bad blocks: the parts of a damaged file that its codec cannot decode.

GDAL decodes a TIFF block by block and returns nothing where any block of a read fails. Read one
by one, all other blocks are still available.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason
from geosrseg.raster.storage.location import Location

Pixels = tuple[NDArray[np.generic], NDArray[np.bool_]]
"""(bands, rows, cols) digital numbers, and valid (rows, cols)."""

Read = Callable[[Window], Pixels]


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A block that cannot be decoded; `row` and `col` count blocks from 0, `window` pixels."""

    row: int
    col: int
    window: Window

    def __str__(self) -> str:
        window = self.window
        return (
            f"block {self.row},{self.col} (rows {window.row_off} to {window.row_stop - 1}, "
            f"columns {window.col_off} to {window.col_stop - 1})"
        )


class BadBlocks:
    """The bad blocks of a scene found so far, through any of its handles.

    Args:
        skip: mark their pixels as not valid, rather than fail.
    """

    def __init__(self, *, skip: bool) -> None:
        self.skip = skip
        self._found: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._found)

    @property
    def warning(self) -> str:
        """A warning for the user; empty if there are no bad blocks."""
        if not self._found:
            return ""
        first = next(iter(self._found))
        return (
            f"{counted(len(self), 'damaged block')} left out, nodata in the map, the first {first}"
        )

    @property
    def found(self) -> tuple[str, ...]:
        """Each of them in words, with its file's name."""
        return tuple(self._found)

    def add(self, found: Iterable[str]) -> None:
        """Count blocks that an interrupted run left out, from its `found`."""
        self._found |= dict.fromkeys(found)

    def read(
        self,
        location: Location,
        dataset: DatasetReader,
        window: Window,
        shape: tuple[int, int],
        read: Read,
        bands: int,
    ) -> Pixels:
        """Read a window block by block, after reading it at once has failed.

        Args:
            dataset: the open file of `location`.
            shape: rows and columns to return; a smaller shape takes single pixels, not means.
            read: reads a window of `bands` bands.

        Raises:
            SceneError: names the first bad block, unless `skip` is set.
        """
        parts: list[tuple[Window, Pixels]] = []
        for block, part in _blocks(dataset, window):
            target = _scaled(part.inside(window), window, shape)
            if target is None:
                continue
            try:
                parts.append((target, _sampled(read(part), target)))
            except GDAL_ERRORS as error:
                if not self.skip:
                    raise SceneError(
                        f"{location}: cannot be read, {block} ({reason(error)}): the file is "
                        "damaged, get it again, or leave such blocks out with "
                        "`skip_bad_blocks=True`"
                    ) from error
                self._found[f"{block} of {location.name}"] = None
        numbers = np.zeros((bands, *shape), dataset.dtypes[0])
        valid = np.zeros(shape, np.bool_)
        for target, (found, usable) in parts:
            numbers[:, target.rows, target.cols] = found
            valid[target.rows, target.cols] = usable
        return numbers, valid


def _blocks(dataset: DatasetReader, window: Window) -> Iterator[tuple[BadBlock, Window]]:
    """The blocks that a window touches, each with its part inside the window."""
    rows, cols = dataset.block_shapes[0]
    for row in range(window.row_off // rows, -(-window.row_stop // rows)):
        for col in range(window.col_off // cols, -(-window.col_stop // cols)):
            block = Window(row * rows, col * cols, rows, cols).clipped(*dataset.shape)
            if part := block.overlap(window):
                yield BadBlock(row, col, block), part


def _scaled(part: Window, window: Window, shape: tuple[int, int]) -> Window | None:
    """Position of a part of a window when the window is scaled to `shape`; None if it vanishes."""
    top, bottom = (round(row * shape[0] / window.height) for row in (part.row_off, part.row_stop))
    left, right = (round(col * shape[1] / window.width) for col in (part.col_off, part.col_stop))
    if top == bottom or left == right:
        return None
    return Window(top, left, bottom - top, right - left)


def _sampled(pixels: Pixels, target: Window) -> Pixels:
    """As many rows and columns as `target` has, by nearest: a mean would need the next block."""
    numbers, valid = pixels
    height, width = valid.shape
    rows = np.arange(target.height) * height // target.height
    cols = np.arange(target.width) * width // target.width
    return numbers[:, rows[:, None], cols], valid[rows[:, None], cols]
