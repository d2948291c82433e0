"""The ground resolution of a grid: metres of a pixel in its middle, in any CRS."""

import math

import numpy as np
import rasterio.warp
from rasterio.crs import CRS

from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS

SEMI_MAJOR = 6_378_137.0
ECCENTRICITY_SQUARED = 0.00669437999014

DISTORTION = 0.005
"""Of a projection's lengths that is not corrected: UTM's."""


def pixel_size(grid: Grid) -> tuple[float, float] | None:
    """Width and height in metres of the pixel in the middle of a grid.

    Degrees are taken as metres at the pixel's latitude, and the units of a projection are
    corrected for its distortion there: a pixel of 60 m in Web Mercator at 60° north has 30.

    Returns:
        None where the grid has no CRS, or none whose units are known.
    """
    if grid.crs is None:
        return None
    a, b, c, d, e, f = grid.transform[:6]
    col, row = grid.width / 2, grid.height / 2
    x, y = a * col + b * row + c, d * col + e * row + f
    steps = ((a, d), (b, e))
    size, plane = _geographic(grid.crs, x, y, steps), _plane(grid.crs, steps)
    if plane and (size is None or _are_close(size, plane)):
        size = plane  # UTM's 30 m rather than 29.97
    return size if size and all(math.isfinite(v) and v > 0 for v in size) else None


def _are_close(size: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= DISTORTION * b for a, b in zip(size, other, strict=True))


def ground_resolution(grid: Grid) -> float | None:
    """The side in metres of a square as large as the pixel in the middle of a grid."""
    size = pixel_size(grid)
    return None if size is None else math.sqrt(size[0] * size[1])


def _geographic(
    crs: CRS, x: float, y: float, steps: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[float, float] | None:
    """By the places on the ellipsoid of both ends of each side."""
    try:
        ends = [(x + sign * dx / 2, y + sign * dy / 2) for dx, dy in steps for sign in (-1, 1)]
        lon, lat = np.radians(
            rasterio.warp.transform(crs, CRS.from_epsg(4326), *map(list, zip(*ends, strict=True)))
        )
    except GDAL_ERRORS:
        return None
    if not np.isfinite([lon, lat]).all():
        return None
    from_axis = SEMI_MAJOR / np.sqrt(1 - ECCENTRICITY_SQUARED * np.sin(lat) ** 2)
    east, up = from_axis * np.cos(lat), from_axis * np.sin(lat)
    place = np.stack([east * np.cos(lon), east * np.sin(lon), (1 - ECCENTRICITY_SQUARED) * up])
    width, height = np.linalg.norm(np.diff(place, axis=1)[:, ::2], axis=0).tolist()
    return width, height


def _plane(
    crs: CRS, steps: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[float, float] | None:
    """By the units of a CRS that does not lead to longitude and latitude."""
    match crs.to_dict(projjson=True):
        case {"coordinate_system": {"axis": [{"unit": "metre"}, *_]}}:
            metres = 1.0
        case {"coordinate_system": {"axis": [{"unit": {"conversion_factor": float(metres)}}, *_]}}:
            pass
        case _:
            return None
    width, height = (math.hypot(*step) * metres for step in steps)
    return width, height
