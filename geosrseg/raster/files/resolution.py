"""Ground resolution: the size in metres of a grid's middle pixel, in any CRS."""

import math

import numpy as np
import rasterio.warp
from rasterio.crs import CRS

from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS

SEMI_MAJOR = 6_378_137.0
ECCENTRICITY_SQUARED = 0.00669437999014

DISTORTION = 0.005
"""Share of a length that is not corrected: up to the distortion of UTM."""


def pixel_size(grid: Grid) -> tuple[float, float] | None:
    """Width and height in metres of a grid's middle pixel; None where no CRS or unit is known.

    Degrees are converted to metres at the pixel's latitude, and projected units are corrected
    for the distortion there: a 60 m pixel in Web Mercator at 60° north measures 30 m.
    """
    if grid.crs is None:
        return None
    a, b, c, d, e, f = grid.transform[:6]
    col, row = grid.width / 2, grid.height / 2
    x, y = a * col + b * row + c, d * col + e * row + f
    steps = ((a, d), (b, e))
    size, plane = _geographic(grid.crs, x, y, steps), _plane(grid.crs, steps)
    if plane and (size is None or np.allclose(size, plane, rtol=DISTORTION, atol=0)):
        size = plane  # UTM's 30 m rather than 29.97
    return size if size and all(math.isfinite(v) and v > 0 for v in size) else None


def ground_resolution(grid: Grid) -> float | None:
    """Side in metres of a square with the area of the grid's middle pixel."""
    size = pixel_size(grid)
    return None if size is None else math.sqrt(size[0] * size[1])


def _geographic(
    crs: CRS, x: float, y: float, steps: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[float, float] | None:
    """Measured between the positions on the ellipsoid of both ends of each side."""
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
    """By the units of the CRS, also where it cannot be converted to longitude and latitude."""
    match crs.to_dict(projjson=True):
        case {"coordinate_system": {"axis": [{"unit": "metre"}, *_]}}:
            metres = 1.0
        case {"coordinate_system": {"axis": [{"unit": {"conversion_factor": float(metres)}}, *_]}}:
            pass
        case _:
            return None
    width, height = (math.hypot(*step) * metres for step in steps)
    return width, height
