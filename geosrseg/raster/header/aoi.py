"""Aoi: the part of a scene that is wanted, as polygons in the scene's CRS."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.features import geometry_mask

from geosrseg.apart import GivenUpError, run_apart
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.extras import extra
from geosrseg.raster.files.gdal import reason
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.aoi_file import area_of_file, check_geopackage, joined, transformed
from geosrseg.regular_file import read_regular

GEOJSON = (".geojson", ".json")
FORMATS = (*GEOJSON, ".gpkg")

MAX_BYTES = 2**27

FEW_BYTES = 2**14
"""A GeoJSON of fewer has less than a thousand points."""

MAX_SECONDS = 40.0
MAX_MEMORY = 2**31
"""What an area of interest may take until it is one; countries take a second."""

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
    area = _from_object(aoi, grid) or _box(str(aoi), grid) or _from_file(Path(aoi), grid)
    area = Aoi(_on_grid(area, grid))
    if not area.touches(grid):
        shown = aoi if isinstance(aoi, str | Path) else type(aoi).__name__
        raise SceneError(
            f"`aoi` {shown} covers no pixel of the scene: it reaches from "
            f"{_shown(area.polygons.bounds)}, the scene from {_shown(grid.bounds)} "
            f"(left, bottom, right, top in the scene's CRS)"
        )
    return area


def _on_grid(area: shapely.Geometry, grid: Grid) -> shapely.Geometry:
    """The area in the longitudes of a grid, which may run past 180°.

    There 181° is what an area calls -179°, and one that is cut at 180° lies at both ends.
    """
    if grid.crs is None or not grid.crs.is_geographic:
        return area
    left, _, right, _ = grid.bounds
    turns = [
        shapely.affinity.translate(area, turn)
        for turn in (-360, 0, 360)
        if area.bounds[0] + turn < max(left, right) and area.bounds[2] + turn > min(left, right)
    ]
    if len(turns) <= 1:
        return turns[0] if turns else area
    return shapely.union_all(turns)


def _from_object(aoi: Any, grid: Grid) -> shapely.Geometry | None:
    """The area that a geometry or a table of geometries is; None for text and paths."""
    if isinstance(aoi, str | Path):
        return None
    name = type(aoi).__name__
    try:
        if isinstance(aoi, shapely.Geometry):
            return joined(np.array([aoi], object))
        if not hasattr(aoi, "geometry") or not hasattr(aoi, "crs"):
            raise SceneError("expected four numbers, a file, a geometry or a GeoDataFrame")
        if aoi.crs is None:
            raise SceneError("it has no CRS: give it one, with set_crs")
        if grid.crs is None:
            raise SceneError("the scene has no CRS to bring it to, give a geometry in its own")
        area = joined(np.asarray(aoi.geometry, object))
        return transformed(area, CRS.from_user_input(aoi.crs), grid.crs)
    except SceneError as error:
        raise SceneError(f"`aoi` is a {name}: {error}") from error


def _box(text: str, grid: Grid) -> shapely.Geometry | None:
    """The box that four numbers say; None for any other text."""
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        return None
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise SceneError(f"`aoi` {text} has {len(numbers)} numbers, expected xmin,ymin,xmax,ymax")
    left, bottom, right, top = numbers
    if left > right and grid.crs is not None and grid.crs.is_geographic:
        right += 360  # across 180°
    if left >= right or bottom >= top:
        raise SceneError(f"`aoi` {text} is no box, expected xmin,ymin,xmax,ymax with min < max")
    return shapely.box(left, bottom, right, top)


def _from_file(path: Path, grid: Grid) -> shapely.Geometry:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise SceneError(
            f"`aoi` {path}: expected a file ({', '.join(FORMATS)}) or xmin,ymin,xmax,ymax"
        )
    if not path.exists():
        raise SceneError(f"`aoi` {path}: no such file")
    try:
        content = read_regular(path, limit=MAX_BYTES)
    except OSError as error:
        raise SceneError(f"`aoi` {path}: cannot be read ({reason(error)})") from error
    if grid.crs is None:
        raise SceneError(
            f"`aoi` {path}: the scene has no CRS to bring it to, give xmin,ymin,xmax,ymax in "
            f"the scene's own coordinates"
        )
    try:
        if not (is_json := suffix in GEOJSON):
            check_geopackage(content)
            with extra("gis"):
                import pyogrio  # noqa: F401, PLC0415
        # What has few points is quick, whatever they do; all else may keep GEOS for hours.
        if is_json and len(content) < FEW_BYTES:
            return shapely.from_wkb(area_of_file(content, suffix, grid.crs.to_wkt()))
        area = run_apart(
            "geosrseg.raster.header.aoi_file:area_of_file",
            content,
            (suffix, grid.crs.to_wkt()),
            seconds=MAX_SECONDS,
            memory=MAX_MEMORY,
        )
        return shapely.from_wkb(area)
    except (SceneError, GivenUpError) as error:
        raise SceneError(f"`aoi` {path}: {error}") from error


def _shown(bounds: tuple[float, float, float, float]) -> str:
    return "(" + ", ".join(f"{value:.10g}" for value in bounds) + ")"
