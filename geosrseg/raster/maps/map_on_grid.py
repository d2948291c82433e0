"""Reads a class map and its layers on another grid, window by window."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from geosrseg.core.legend import NODATA
from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid, rasterio_window
from geosrseg.raster.files.warp import TOLERANCE
from geosrseg.raster.maps.class_map import ClassMap
from geosrseg.raster.maps.confidence import (
    as_confidence,
    check_confidence,
    check_layer,
    without_gaps,
)
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed

ON_A_PIXEL = 1e-3
"""Share of a pixel by which the corners of two aligned grids may differ."""

TURN = 360.0
"""Degrees of longitude after which the ground is the same."""


Check = Callable[[DatasetReader, Path, Grid], None]
"""Raises an error for an open file, at a path, that is not a layer of a map on the grid."""


@dataclass(frozen=True, slots=True)
class MapOnGrid:
    """A class map resampled to a grid by nearest neighbour, as classes have no mean.

    Attributes:
        grid: the grid to read on.
        window: the part of the grid that the map covers; None if they do not overlap.
        shift: row and column of the map's origin on the grid, if their pixels coincide;
            None if the map must be warped.
    """

    class_map: ClassMap
    grid: Grid
    window: Window | None
    shift: tuple[int, int] | None

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Read (rows, cols) class ids in a window of the grid; NODATA outside the map.

        Raises:
            OutputError: the map cannot be read.
        """
        nodata = self.class_map.nodata
        empty = NODATA if nodata is None else nodata
        return self.class_map.labels(self._read(self.class_map.path, window, empty)[0])

    def read_confidence(self, window: Window) -> NDArray[np.uint8]:
        """Read (2, rows, cols) percent of confidence and of doubt in a window of the grid.

        Pixels of nodata get a confidence of 0 and a doubt of 100.

        Raises:
            OutputError: there is no confidence layer beside the map, or it cannot be read.
        """
        path = self.class_map.confidence_path
        if path is None:
            raise OutputError(
                f"{self.class_map.path}: there is no confidence layer beside it: predict writes "
                "one with `confidence`"
            )
        found = self._read(path, window, NODATA, check=check_confidence)
        return without_gaps(as_confidence(found, name=str(path)))

    def read_probabilities(self, window: Window) -> NDArray[np.uint8]:
        """Read (classes of the map, rows, cols) in a window of the grid.

        `CERTAINTY` stands for 1. Pixels outside the map are NODATA.

        Raises:
            OutputError: there is no layer of probabilities beside the map, it has other classes,
                or it cannot be read.
        """
        path = self.class_map.probabilities_path
        if path is None:
            raise OutputError(
                f"{self.class_map.path}: there is no layer of probabilities beside it: predict "
                "writes one with `probabilities`"
            )
        values = self._read(path, window, NODATA, check=check_layer)
        classes = len(self.class_map.legend)
        if len(values) != classes or values.dtype != np.uint8:
            raise OutputError(
                f"{path}: has {counted(len(values), 'band')} of {values.dtype}, expected uint8 and "
                f"one band for each of the map's {classes} classes: make the map again"
            )
        return values

    def _read(
        self, path: Path, window: Window, empty: int, *, check: Check = lambda *_: None
    ) -> NDArray[np.uint8]:
        """Read (bands, rows, cols)."""
        try:
            with small_cache(), unreferenced_allowed(), rasterio.open(path) as dataset:
                check(dataset, path, self.class_map.grid)
                if self.shift is not None:
                    return self._read_shifted(dataset, window, self.shift, empty)
                with WarpedVRT(
                    dataset, crs=self.grid.crs, transform=self.grid.transform,
                    width=self.grid.width, height=self.grid.height,
                    resampling=Resampling.nearest, nodata=empty, dtype=_holding(dataset, empty),
                    tolerance=TOLERANCE,
                ) as warped:  # fmt: skip
                    return warped.read(window=rasterio_window(window))
        except GDAL_ERRORS as error:
            raise OutputError(f"{path}: cannot be read ({reason(error)})") from error

    def _read_shifted(
        self, dataset: DatasetReader, window: Window, shift: tuple[int, int], empty: int
    ) -> NDArray[np.uint8]:
        shape = (dataset.count, window.height, window.width)
        values = np.full(shape, empty, _holding(dataset, empty))
        own = self.class_map.grid
        top, left = window.row_off - shift[0], window.col_off - shift[1]
        rows = slice(max(top, 0), min(top + window.height, own.height))
        cols = slice(max(left, 0), min(left + window.width, own.width))
        if rows.start < rows.stop and cols.start < cols.stop:
            part = Window(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
            inside = dataset.read(window=rasterio_window(part))
            values[:, rows.start - top : rows.stop - top, cols.start - left : cols.stop - left] = (
                inside
            )
        return values


def _holding(dataset: DatasetReader, empty: int) -> str:
    """Return the type that holds the file's values and `empty`: int8 has no 255."""
    return str(np.promote_types(dataset.dtypes[0], np.min_scalar_type(empty)))


def put_on_grid(class_map: ClassMap, grid: Grid) -> MapOnGrid:
    """Relate a map to a grid on which it can then be read.

    Raises:
        OutputError: the map cannot be transformed to the grid's CRS, or a CRS is missing and the
            pixels do not coincide.
    """
    own = class_map.grid
    shift = pixel_shift(own, grid)
    if shift is None and (own.crs is None or grid.crs is None):
        raise OutputError(
            f"{class_map.path}: has no CRS, and its pixels do not coincide with those of the others"
        )
    bounds = bounds_in(class_map, grid.crs)
    if own.crs == grid.crs or grid.crs is None or not grid.crs.is_geographic:
        return MapOnGrid(class_map, grid, grid.window(bounds), shift)
    # A grid may pass 180° to either side, so the ground may lie a full turn away, or twice on it.
    left, bottom, right, top = bounds
    turns = [grid.window((left + t, bottom, right + t, top)) for t in (-TURN, 0, TURN)]
    reached = [window for window in turns if window is not None]
    if not reached:
        return MapOnGrid(class_map, grid, None, shift)
    first = min(window.col_off for window in reached)
    last = max(window.col_stop for window in reached)
    window = replace(reached[0], col_off=first, width=last - first)
    return MapOnGrid(class_map, grid, window, shift)


def bounds_in(class_map: ClassMap, crs: CRS | None) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a map in a CRS; right exceeds 180° if it crosses that.

    Raises:
        OutputError: the map cannot be transformed, or one of the CRSs is missing.
    """
    own = class_map.grid
    if own.crs == crs:
        return own.bounds
    if own.crs is None or crs is None:
        raise OutputError(f"{class_map.path}: all maps need a CRS, or none of them")
    try:
        left, bottom, right, top = transform_bounds(own.crs, crs, *own.bounds, densify_pts=50)
    except GDAL_ERRORS as error:
        raise OutputError(
            f"{class_map.path}: cannot be transformed to {crs} ({reason(error)})"
        ) from error
    return left, bottom, right + TURN if left > right else right, top


def pixel_shift(own: Grid, grid: Grid) -> tuple[int, int] | None:
    """Return row and column of a grid's origin on another; None if pixels do not coincide."""
    if own.crs != grid.crs:
        return None
    a, b, _, d, e, _ = grid.transform[:6]
    size = max(abs(a), abs(b), abs(d), abs(e))
    differences = [abs(x - y) for x, y in zip(own.transform[:6], grid.transform[:6], strict=True)]
    same = max(differences[k] for k in (0, 1, 3, 4)) * max(own.height, own.width)
    if same > ON_A_PIXEL * size:
        return None
    col, row = ~grid.transform @ (own.transform.c, own.transform.f)
    if max(abs(col - round(col)), abs(row - round(row))) > ON_A_PIXEL:
        return None
    return round(row), round(col)
