"""Grid: where the pixels of a raster lie on the ground."""

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
        crs: None where the file has none.
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
        """Where the pixels of an open file lie."""
        return cls(dataset.crs, dataset.transform, dataset.height, dataset.width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top, as rasterio gives them."""
        left, bottom, right, top = array_bounds(self.height, self.width, self.transform)
        return left, bottom, right, top

    def upright(self, picture: NDArray[T]) -> NDArray[T]:
        """(rows, cols, ...) with north above and east on the right, as a GIS shows it."""
        rows, cols = self._directions
        return picture[::rows, ::cols]

    def upright_window(self, window: Window) -> Window:
        """The window of this grid that a window of the upright picture shows."""
        rows, cols = self._directions
        row_off = window.row_off if rows > 0 else self.height - window.row_stop
        col_off = window.col_off if cols > 0 else self.width - window.col_stop
        return Window(row_off, col_off, window.height, window.width)

    @property
    def _directions(self) -> tuple[int, int]:
        """1 where rows go south and columns east, -1 where they go the other way."""
        return -1 if self.transform.e > 0 else 1, -1 if self.transform.a < 0 else 1

    def refined(self, factor: int) -> "Grid":
        """The same ground with pixels `factor` times smaller along each axis.

        The origin is a pixel corner and stays where it is, so the bounds do too, for a
        rotated or south-up transform as well.
        """
        if factor < 1:
            raise ValueError(f"a grid is refined by 1 or more, got {factor}")
        a, b, c, d, e, f = self.transform[:6]
        transform = Affine(a / factor, b / factor, c, d / factor, e / factor, f)
        return Grid(self.crs, transform, self.height * factor, self.width * factor)

    def window(self, bounds: tuple[float, float, float, float]) -> Window | None:
        """The pixels that a rectangle of the CRS touches; None where it touches none.

        Args:
            bounds: left, bottom, right and top.
        """
        left, bottom, right, top = bounds
        corners = [~self.transform @ (x, y) for x in (left, right) for y in (bottom, top)]
        cols, rows = zip(*corners, strict=True)
        first_row, last_row = max(math.floor(min(rows)), 0), min(math.ceil(max(rows)), self.height)
        first_col, last_col = max(math.floor(min(cols)), 0), min(math.ceil(max(cols)), self.width)
        if first_row >= last_row or first_col >= last_col:
            return None
        return Window(first_row, first_col, last_row - first_row, last_col - first_col)

    def part(self, window: Window) -> "Grid":
        """The grid of a window's pixels."""
        transform = self.transform @ Affine.translation(window.col_off, window.row_off)
        return Grid(self.crs, transform, window.height, window.width)


def rasterio_window(window: Window) -> RasterioWindow:
    """A window as rasterio has it."""
    return RasterioWindow(window.col_off, window.row_off, window.width, window.height)
