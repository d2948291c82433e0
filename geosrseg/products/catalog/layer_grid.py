"""The common grid of several maps that open as one layer."""

import math
from collections.abc import Sequence

from affine import Affine
from rasterio.crs import CRS

from geosrseg.raster.files.grid import Grid

Box = tuple[float, float, float, float]
"""Smallest x and y, largest x and y."""

LONGITUDE_LATITUDE = CRS.from_epsg(4326)
"""CRS of a layer whose maps have different CRSs."""

METRES_PER_DEGREE = 111_320.0

_ON_A_PIXEL = 1e-3
"""Tolerance for corners to coincide, as a fraction of a pixel."""


def common_grid(grids: Sequence[Grid]) -> Grid:
    """The grid that contains north-up grids of one CRS, on the pixels of the finest one."""
    finest = min(grids, key=lambda grid: grid.transform.a)
    corners = [_pixels(grid.bounds, finest.transform) for grid in grids]
    tops, lefts, bottoms, rights = zip(*corners, strict=True)
    top, left = min(tops), min(lefts)
    transform = finest.transform @ Affine.translation(left, top)
    return Grid(finest.crs, transform, max(bottoms) - top, max(rights) - left)


def longitude_latitude_grid(grids: Sequence[Grid], boxes: Sequence[Box]) -> Grid:
    """The grid in longitude and latitude that contains boxes, as fine as the finest grid.

    Args:
        grids: grids in any CRS.
        boxes: west, south, east, north.
    """
    res = min(map(_degrees, grids))
    wests, souths, easts, norths = zip(*boxes, strict=True)
    left, top = math.floor(min(wests) / res), math.ceil(max(norths) / res)
    height, width = top - math.floor(min(souths) / res), math.ceil(max(easts) / res) - left
    return Grid(LONGITUDE_LATITUDE, Affine(res, 0, left * res, 0, -res, top * res), height, width)


def _pixels(bounds: Box, transform: Affine) -> tuple[int, int, int, int]:
    """First row and column, and the row and column after the last, for a transform's pixels."""
    left, bottom, right, top = bounds
    (col, row), (col_stop, row_stop) = ~transform @ (left, top), ~transform @ (right, bottom)
    return (
        math.floor(row + _ON_A_PIXEL),
        math.floor(col + _ON_A_PIXEL),
        math.ceil(row_stop - _ON_A_PIXEL),
        math.ceil(col_stop - _ON_A_PIXEL),
    )


def _degrees(grid: Grid) -> float:
    """The height of a pixel in degrees of latitude."""
    if grid.crs is not None and grid.crs.is_geographic:
        return -grid.transform.e
    metres = -grid.transform.e * (grid.crs.linear_units_factor[1] if grid.crs else 1.0)
    return metres / METRES_PER_DEGREE
