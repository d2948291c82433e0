"""Aoi: the part of a scene that is wanted, as polygons in the scene's CRS."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.features import geometry_mask
from rasterio.warp import transform_geom

from geosrseg.core.windows import Window
from geosrseg.errors import SceneError
from geosrseg.extras import extra
from geosrseg.raster.files.gdal import GDAL_ERRORS, reason
from geosrseg.raster.files.grid import Grid

GEOJSON = (".geojson", ".json")
FORMATS = (*GEOJSON, ".gpkg")

_STEPS = 50
"""Points put on the longer side of an area before its CRS changes: straight lines of one
CRS are curves in another."""

_MOST_BYTES = 2**27
_STRIP = 1024
"""Rows looked through at once for a pixel inside."""


@dataclass(frozen=True, slots=True)
class Aoi:
    """An area of interest.

    A pixel belongs to it if its centre does, so that neighbouring areas share no pixel and
    the sum of pixels is the area.

    Attributes:
        polygons: in the CRS of the scene's grid.
    """

    polygons: shapely.Geometry

    @property
    def digest(self) -> str:
        """Differs where the polygons do, in hexadecimal."""
        return hashlib.sha256(self.polygons.wkb).hexdigest()

    def inside(self, grid: Grid, window: Window) -> NDArray[np.bool_]:
        """(rows, cols) of a window of `grid`: True where the pixel's centre is inside."""
        shape = (window.height, window.width)
        transform = grid.transform @ grid.transform.translation(window.col_off, window.row_off)
        corners = [transform @ (x, y) for x in (0, window.width) for y in (0, window.height)]
        if not self.polygons.intersects(shapely.MultiPoint(corners).convex_hull):
            return np.zeros(shape, np.bool_)
        return geometry_mask([self.polygons], shape, transform, invert=True)

    def touches(self, grid: Grid) -> bool:
        """Any pixel of the grid is inside."""
        strips = range(0, grid.height, _STRIP)
        return any(
            self.inside(grid, Window(top, 0, min(_STRIP, grid.height - top), grid.width)).any()
            for top in strips
        )


def read_aoi(aoi: Any, grid: Grid) -> Aoi:
    """Read an area of interest for a scene on `grid`.

    Args:
        aoi: "xmin,ymin,xmax,ymax" in the CRS of the grid, or a file of polygons: GeoJSON
            (WGS 84 unless it has a ``crs`` member) or, with the extra ``gis``, GeoPackage. Or
            a shapely geometry in the CRS of the grid, or what has a ``geometry`` and a ``crs``,
            as a GeoDataFrame has.
        grid: of the scene.

    Raises:
        SceneError: it cannot be read, is no area, or no pixel of the scene is in it.
        MissingExtraError: a GeoPackage needs the extra ``gis``.
    """
    area = Aoi(_from_object(aoi, grid) or _box(str(aoi)) or _from_file(Path(aoi), grid))
    if not area.touches(grid):
        shown = aoi if isinstance(aoi, str | Path) else type(aoi).__name__
        raise SceneError(
            f"`aoi` {shown} covers no pixel of the scene: it reaches from "
            f"{_shown(area.polygons.bounds)}, the scene from {_shown(grid.bounds)} "
            f"(left, bottom, right, top in the scene's CRS)"
        )
    return area


def _from_object(aoi: Any, grid: Grid) -> shapely.Geometry | None:
    """The area that a geometry or a table of geometries is; None for text and paths."""
    if isinstance(aoi, str | Path):
        return None
    name = type(aoi).__name__
    if isinstance(aoi, shapely.Geometry):
        return _joined(np.array([aoi]), name)
    if not hasattr(aoi, "geometry") or not hasattr(aoi, "crs"):
        raise SceneError(
            f"`aoi` is a {name}: expected four numbers, a file, a geometry or a GeoDataFrame"
        )
    if aoi.crs is None:
        raise SceneError(f"`aoi` {name}: it has no CRS: give it one, with set_crs")
    area = _joined(np.asarray(aoi.geometry, object), name)
    return _transformed(area, CRS.from_user_input(aoi.crs), grid, name)


def _box(text: str) -> shapely.Geometry | None:
    """The box that four numbers say; None for any other text."""
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        return None
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise SceneError(f"`aoi` {text} has {len(numbers)} numbers, expected xmin,ymin,xmax,ymax")
    left, bottom, right, top = numbers
    if left >= right or bottom >= top:
        raise SceneError(f"`aoi` {text} is no box, expected xmin,ymin,xmax,ymax with min < max")
    return shapely.box(left, bottom, right, top)


def _from_file(path: Path, grid: Grid) -> shapely.Geometry:
    if path.suffix.lower() not in FORMATS:
        raise SceneError(
            f"`aoi` {path}: expected a file ({', '.join(FORMATS)}) or xmin,ymin,xmax,ymax"
        )
    if not path.is_file():
        raise SceneError(f"`aoi` {path}: no such file")
    read = _read_geojson if path.suffix.lower() in GEOJSON else _read_geopackage
    geometries, crs = read(path)
    return _transformed(_joined(geometries, path), crs, grid, path)


def _read_geojson(path: Path) -> tuple[NDArray[np.object_], CRS]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
        return shapely.get_parts(shapely.from_geojson(text)), _geojson_crs(json.loads(text))
    except (OSError, ValueError, RecursionError, CRSError, shapely.errors.ShapelyError) as error:
        raise SceneError(f"`aoi` {path}: is no GeoJSON ({reason(error)})") from error


def _geojson_crs(document: Mapping[str, Any]) -> CRS:
    """WGS 84 by the standard, RFC 7946; what was written before it may name another."""
    match document.get("crs"):
        case {"properties": {"name": str(name)}}:
            return CRS.from_user_input(name)
    return CRS.from_epsg(4326)


def _read_geopackage(path: Path) -> tuple[NDArray[np.object_], CRS]:
    with extra("gis"):
        from pyogrio.errors import DataSourceError  # noqa: PLC0415
        from pyogrio.raw import read  # noqa: PLC0415
    try:
        meta, _, geometries, _ = read(path, columns=[])
        return shapely.from_wkb(geometries), CRS.from_user_input(meta["crs"])
    except (DataSourceError, ValueError, CRSError, shapely.errors.ShapelyError) as error:
        raise SceneError(f"`aoi` {path}: cannot be read ({reason(error)})") from error


def _joined(geometries: NDArray[np.object_], path: Path | str) -> shapely.Geometry:
    """One geometry of polygons; what crosses itself is mended first."""
    parts = shapely.get_parts(shapely.get_parts(geometries))
    kinds = sorted({part.geom_type for part in parts if not part.is_empty})
    if kinds != ["Polygon"]:
        raise SceneError(f"`aoi` {path}: holds {' and '.join(kinds) or 'nothing'}, not polygons")
    mended = shapely.get_parts(shapely.get_parts(shapely.make_valid(parts)))
    return shapely.union_all([part for part in mended if part.geom_type == "Polygon"])


def _transformed(
    area: shapely.Geometry, crs: CRS, grid: Grid, path: Path | str
) -> shapely.Geometry:
    if grid.crs is None:
        raise SceneError(
            f"`aoi` {path}: the scene has no CRS to bring it to, give xmin,ymin,xmax,ymax in "
            f"the scene's own coordinates"
        )
    if crs == grid.crs:
        return area
    left, bottom, right, top = area.bounds
    dense = shapely.segmentize(area, max(right - left, top - bottom) / _STEPS)
    try:
        there = transform_geom(crs, grid.crs, dense.__geo_interface__)
    except GDAL_ERRORS as error:
        raise SceneError(
            f"`aoi` {path}: cannot be brought to the scene's CRS ({reason(error)})"
        ) from error
    return _joined(np.array([shapely.geometry.shape(there)]), path)


def _shown(bounds: tuple[float, float, float, float]) -> str:
    return "(" + ", ".join(f"{value:.10g}" for value in bounds) + ")"
