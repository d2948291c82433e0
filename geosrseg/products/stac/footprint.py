"""The footprint of a grid in longitude and latitude, according to RFC 7946.

A footprint that crosses 180° is cut there, and the west of its box exceeds its east. One that
contains a pole runs along it. Rings are counter-clockwise for grids of either direction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio.warp
import shapely
import shapely.affinity
import shapely.geometry
from numpy.typing import NDArray

from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS

EDGE_POINTS = 8
"""Points along each side: a straight line of a CRS is a curve in longitude and latitude."""

DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Footprint:
    """The footprint of a grid.

    Attributes:
        geometry: GeoJSON geometry.
        bbox: west, south, east, north.
    """

    geometry: dict[str, Any]
    bbox: list[float]


def find_footprint(grid: Grid) -> Footprint | None:
    """The footprint of a grid; None if it cannot be transformed to longitude and latitude."""
    ring = _ring(grid)
    if ring is None:
        return None
    turned = ring[-1, 0] - ring[0, 0]
    if abs(turned) > 180:
        return _around_a_pole(ring)
    west, south = ring.min(axis=0)
    east, north = ring.max(axis=0)
    if east - west >= 360:
        west, east = -180.0, 180.0
    bbox = [_wrapped(west, -180.0), south, _wrapped(east, 180.0), north]
    return Footprint(_geometry(ring), [round(float(value), DECIMALS) for value in bbox])


def _ring(grid: Grid) -> NDArray[np.float64] | None:
    """(points, 2) longitude and latitude of the closed border, unwrapped at 180°."""
    if grid.crs is None:
        return None
    steps = np.arange(EDGE_POINTS) / EDGE_POINTS
    zero, one = np.zeros(EDGE_POINTS), np.ones(EDGE_POINTS)
    across = np.concatenate([zero, steps, one, 1 - steps, [0]]) * grid.width
    down = np.concatenate([steps, one, 1 - steps, zero, [0]]) * grid.height
    a, b, c, d, e, f = grid.transform[:6]
    xs, ys = a * across + b * down + c, d * across + e * down + f
    try:
        degrees = np.array(rasterio.warp.transform(grid.crs, "EPSG:4326", xs, ys))
    except GDAL_ERRORS:
        return None
    if not np.isfinite(degrees).all():
        return None
    steps_east = (np.diff(degrees[0]) + 180) % 360 - 180
    longitude = np.concatenate([degrees[0, :1], degrees[0, 0] + np.cumsum(steps_east)])
    return np.stack([longitude, np.clip(degrees[1], -90, 90)], axis=1)


def _around_a_pole(ring: NDArray[np.float64]) -> Footprint:
    pole = float(np.copysign(90, ring[:, 1].mean()))
    along = np.array([[ring[-1, 0], pole], [ring[0, 0], pole], ring[0]])
    other = ring[:, 1].max() if pole < 0 else ring[:, 1].min()
    south, north = sorted((pole, round(float(other), DECIMALS)))
    return Footprint(_geometry(np.concatenate([ring, along])), [-180.0, south, 180.0, north])


def _geometry(ring: NDArray[np.float64]) -> dict[str, Any]:
    """One polygon between -180° and 180°, or several if it is cut at 180°."""
    whole = shapely.make_valid(shapely.Polygon(ring))
    parts = shapely.get_parts(shapely.union_all(list(_cut(whole))))
    polygons = [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
    rounded = shapely.set_precision(shapely.MultiPolygon(polygons), 10.0**-DECIMALS)
    oriented = [
        shapely.geometry.polygon.orient(part)
        for part in shapely.get_parts(rounded)
        if part.geom_type == "Polygon"
    ]
    shape = oriented[0] if len(oriented) == 1 else shapely.MultiPolygon(oriented)
    mapped: dict[str, Any] = shapely.geometry.mapping(shape)
    return {"type": mapped["type"], "coordinates": _rounded(mapped["coordinates"])}


def _cut(whole: shapely.Geometry) -> Iterator[shapely.Geometry]:
    """The parts of an unwrapped shape, each moved to between -180° and 180°."""
    west, _, east, _ = whole.bounds
    for turn in range(int((west + 180) // 360), int((east + 180) // 360) + 1):
        inside = whole.intersection(shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90))
        yield shapely.affinity.translate(inside, -360 * turn)


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_rounded(item) for item in value]
    return round(float(value), DECIMALS)


def _wrapped(longitude: float, end: float) -> float:
    """A longitude between -180 and 180; the antimeridian itself becomes `end`."""
    turned = (longitude + 180) % 360 - 180
    return end if abs(turned) == 180 and longitude != 0 else turned
