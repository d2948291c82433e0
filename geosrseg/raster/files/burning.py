"""Burns polygons into a grid: a pixel is theirs if they hold its centre."""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import geometry_mask, rasterize

from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import unreferenced_allowed

T = TypeVar("T", bound=np.generic)

NUDGE = 1e-6
"""Share of a pixel by which a centre counts as farther along its row and its column.

Sides at round coordinates often run through centres. GDAL gives such pixels to the polygons on both
sides, or to either by the rounding of a window's transform. With the nudge exactly one has them.
"""


def burn(
    shapes: Iterable[tuple[shapely.Geometry, int]], grid: Grid, *, fill: int, dtype: type[T]
) -> NDArray[T]:
    """Return (rows, cols): the value of the last polygon that holds each centre.

    Args:
        shapes: at least one polygon, in the grid's CRS, and its value.
        fill: value of pixels without a polygon.
    """
    with unreferenced_allowed():  # rasterio's own filter is not thread-safe
        burnt: NDArray[T] = rasterize(
            shapes,
            out_shape=(grid.height, grid.width),
            transform=_nudged(grid),
            fill=fill,
            dtype=np.dtype(dtype).name,
        )
    return burnt


def inside(
    polygons: shapely.Geometry, grid: Grid, *, all_touched: bool = False
) -> NDArray[np.bool_]:
    """Return (rows, cols): True where the polygons hold the pixel's centre.

    Args:
        all_touched: also True where they hold any part of a pixel, and possibly where they only
            share a side with it.
    """
    with unreferenced_allowed():
        return geometry_mask(
            [polygons],
            (grid.height, grid.width),
            grid.transform if all_touched else _nudged(grid),
            invert=True,
            all_touched=all_touched,
        )


def _nudged(grid: Grid) -> Affine:
    return grid.transform @ Affine.translation(NUDGE, NUDGE)
