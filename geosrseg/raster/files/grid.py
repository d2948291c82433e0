"""Grid: a raster's shape, CRS and transform."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.transform import array_bounds
from rasterio.windows import Window as RasterioWindow

from geosrseg.core.tiling.windows import Window

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Grid:
    """A raster's shape and georeference.

    Attributes:
        crs: None where the file states none.
        transform: (col, row) of pixel corners to (x, y).
        height: rows, at least 1.
        width: columns, at least 1.
    """

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a grid has at least one pixel, got {self.height} x {self.width}")
        if self.transform.is_degenerate:
            raise ValueError(f"a grid's pixels have an area, got {self.transform}")

    @classmethod
    def of(cls, dataset: DatasetReader) -> "Grid":
        """The grid of an open file."""
        return cls(dataset.crs, dataset.transform, dataset.height, dataset.width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top), as rasterio returns them."""
        left, bottom, right, top = array_bounds(self.height, self.width, self.transform)
        return left, bottom, right, top

    def upright(self, picture: NDArray[T]) -> NDArray[T]:
        """Flip a (rows, cols, ...) array so that north is up and east is right."""
        rows, cols = self._directions
        return picture[::rows, ::cols]

    def upright_window(self, window: Window) -> Window:
        """The window of this grid that corresponds to a window of the upright picture."""
        rows, cols = self._directions
        row_off = window.row_off if rows > 0 else self.height - window.row_stop
        col_off = window.col_off if cols > 0 else self.width - window.col_stop
        return Window(row_off, col_off, window.height, window.width)

    @property
    def _directions(self) -> tuple[int, int]:
        """1 where rows run south and columns east, -1 where they run the other way."""
        return -1 if self.transform.e > 0 else 1, -1 if self.transform.a < 0 else 1

    def refined(self, factor: int) -> "Grid":
        """The same ground with pixels `factor` times smaller along each axis.

        The origin is a pixel corner, so it and the bounds stay the same, also for a rotated or
        south-up transform.
        """
        if factor < 1:
            raise ValueError(f"a grid is refined by 1 or more, got {factor}")
        a, b, c, d, e, f = self.transform[:6]
        transform = Affine(a / factor, b / factor, c, d / factor, e / factor, f)
        return Grid(self.crs, transform, self.height * factor, self.width * factor)

    def window(self, bounds: tuple[float, float, float, float]) -> Window | None:
        """The pixels that a rectangle (left, bottom, right, top) touches; None for no pixel."""
        left, bottom, right, top = bounds
        corners = [~self.transform @ (x, y) for x in (left, right) for y in (bottom, top)]
        cols, rows = zip(*corners, strict=True)
        top, bottom = max(math.floor(min(rows)), 0), min(math.ceil(max(rows)), self.height)
        first, last = max(math.floor(min(cols)), 0), min(math.ceil(max(cols)), self.width)
        if top >= bottom or first >= last:
            return None
        return Window(top, first, bottom - top, last - first)

    def part(self, window: Window) -> "Grid":
        """The grid of a window's pixels."""
        transform = self.transform @ Affine.translation(window.col_off, window.row_off)
        return Grid(self.crs, transform, window.height, window.width)


def rasterio_window(window: Window) -> RasterioWindow:
    """Convert a window to rasterio's class."""
    return RasterioWindow(window.col_off, window.row_off, window.width, window.height)
