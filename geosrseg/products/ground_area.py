"""The areas of a grid's pixels on the WGS 84 ellipsoid.

The method is the same for every CRS, equal-area or not. A pixel's corners are transformed to
longitude and latitude, then to the authalic sphere, which preserves the ellipsoid's areas: Snyder
(1987), Map Projections - A Working Manual, equations 3-11 to 3-13. There the area of a pixel is
half the cross product of its diagonals, also at a pole and at the antimeridian. This neglects the
sphere's curvature, an error of less than one part in a million for a pixel of 1 km.
"""

import math

import numpy as np
import rasterio.warp
from numpy.typing import NDArray
from rasterio.crs import CRS

from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS

SEMI_MAJOR = 6_378_137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY = math.sqrt(FLATTENING * (2 - FLATTENING))

NODE_SPACING = 10_000.0
"""Metres between the nodes of a `PixelAreas`. Between them, the area of a pixel has an error of at
most two parts in a million, in UTM and in degrees."""


def pixel_areas(grid: Grid) -> PixelAreas | None:
    """The areas of a grid's pixels.

    Returns:
        None if the grid has no CRS, or its CRS cannot be transformed to longitude and latitude
        everywhere.
    """
    if grid.crs is None:
        return None
    middle = _areas_at(grid, np.array([grid.height / 2]), np.array([grid.width / 2]))
    if middle is None:
        return None
    side = math.sqrt(middle.item())
    node_rows = _nodes(grid.height, side)
    node_cols = _nodes(grid.width, side)
    areas = _areas_at(grid, node_rows + 0.5, node_cols + 0.5)
    return areas if areas is None else PixelAreas(node_rows, node_cols, areas, grid.width)


def _nodes(length: int, side: float) -> NDArray[np.float64]:
    """Rows or columns of the nodes, including the first and the last."""
    count = min(math.ceil(length * side / NODE_SPACING) + 1, length)
    return np.linspace(0, length - 1, count)


def _areas_at(
    grid: Grid, rows: NDArray[np.float64], cols: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """(rows, cols) square metres of the pixels centred on these rows and columns."""
    down, right = np.meshgrid(rows, cols, indexing="ij")
    corners = [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]
    col = np.stack([right + x for _, x in corners]).ravel()
    row = np.stack([down + y for y, _ in corners]).ravel()
    a, b, c, d, e, f = grid.transform[:6]
    try:
        degrees = rasterio.warp.transform(
            grid.crs, CRS.from_epsg(4326), a * col + b * row + c, d * col + e * row + f
        )
    except GDAL_ERRORS:
        return None
    points = _on_sphere(*np.radians(np.array(degrees)).reshape(2, 4, *down.shape))
    diagonals = points[:, 2] - points[:, 0], points[:, 3] - points[:, 1]
    areas = np.linalg.norm(np.cross(*diagonals, axis=0), axis=0) / 2
    return areas if np.isfinite(areas).all() and (areas > 0).all() else None


def _on_sphere(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(3, ...) metres from the centre of the authalic sphere."""
    pole = _authalic(np.array(math.pi / 2))
    sine = np.clip(_authalic(latitude) / pole, -1, 1)
    cosine = np.sqrt(1 - sine**2)
    place = np.stack([cosine * np.cos(longitude), cosine * np.sin(longitude), sine])
    return SEMI_MAJOR * math.sqrt(pole / 2) * place


def _authalic(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Snyder's q: the ellipsoid's area from the equator to a latitude is proportional to it."""
    sine, e = np.sin(latitude), ECCENTRICITY
    return (1 - e**2) * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
