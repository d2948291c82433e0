"""Area of interest: the part of a scene to map, as polygons in the scene's CRS."""

import hashlib
import math
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from rasterio.crs import CRS

from geosrseg.apart import GivenUpError, run_apart
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files import burning
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.vector_file import PARTS, gdal_drivers
from geosrseg.raster.header.aoi_file import (
    ARCHIVE,
    SUFFIXES,
    area_of_file,
    joined,
    transformed,
)
from geosrseg.raster.storage.crs_text import read_crs
from geosrseg.raster.storage.gdal import reason
from geosrseg.regular_file import read_regular

GEOJSON = (".geojson", ".json")
FORMATS = (*GEOJSON, *SUFFIXES, ARCHIVE)

MAX_BYTES = 2**27

FEW_BYTES = 2**14
"""A smaller GeoJSON has less than a thousand points."""

MAX_SECONDS = 40.0
MAX_MEMORY = 2**31
"""Limits of the process that reads a file, in seconds and bytes; a country takes a second."""

_STRIP = 1024
"""Rows searched at once for a pixel inside."""


@dataclass(frozen=True, slots=True)
class Aoi:
    """Polygons in the CRS of a scene's grid.

    A pixel is inside if its centre is, so that neighbouring areas share no pixel and the sum of
    the pixels is the area.
    """

    polygons: shapely.Geometry

    @property
    def digest(self) -> str:
        """SHA-256 of the polygons, in hexadecimal."""
        return hashlib.sha256(self.polygons.wkb).hexdigest()

    def inside(self, grid: Grid, window: Window, *, all_touched: bool = False) -> NDArray[np.bool_]:
        """(rows, cols) of a window of `grid`: True where the pixel's centre is inside.

        Args:
            all_touched: also True where any part of a pixel is inside, and possibly where the
                pixel only shares a side with the area.
        """
        part = grid.part(window)
        corners = [part.transform @ (x, y) for x in (0, part.width) for y in (0, part.height)]
        if not self.polygons.intersects(shapely.MultiPoint(corners).convex_hull):
            return np.zeros((part.height, part.width), np.bool_)
        return burning.inside(self.polygons, part, all_touched=all_touched)

    def touches(self, grid: Grid, *, factor: int = 1) -> bool:
        """Whether any pixel is inside, of a grid `factor` times finer than `grid`."""
        extent, fine = self.extent(grid, factor=factor), grid.refined(factor)
        if extent is None:
            return False
        whole = extent.scaled(factor)
        strips = range(whole.row_off, whole.row_stop, _STRIP)
        return any(
            self.inside(
                fine, Window(top, whole.col_off, min(_STRIP, whole.row_stop - top), whole.width)
            ).any()
            for top in strips
        )

    def extent(self, grid: Grid, *, factor: int = 1) -> Window | None:
        """The smallest window of `grid` that holds all pixels inside; None where there are none.

        Args:
            factor: how many times finer than `grid` the pixels are whose centres count.
        """
        a, b, c, d, e, f = (~grid.transform)[:6]
        area = shapely.affinity.affine_transform(self.polygons, [a, b, d, e, c, f])
        # Parts beyond the grid, such as those across 180 degrees, must not widen the window.
        left, top, right, bottom = shapely.clip_by_rect(
            area, -1, -1, grid.width + 1, grid.height + 1
        ).bounds
        if not math.isfinite(left):
            return None
        rows, cols = _held(top, bottom, grid.height, factor), _held(left, right, grid.width, factor)
        if not rows or not cols:
            return None
        return Window(rows.start, cols.start, len(rows), len(cols))


def inside(
    aoi: Aoi | None, grid: Grid, window: Window, *, all_touched: bool = False
) -> NDArray[np.bool_]:
    """`Aoi.inside`, or True everywhere without an area of interest."""
    if aoi is None:
        return np.ones((window.height, window.width), np.bool_)
    return aoi.inside(grid, window, all_touched=all_touched)


def _held(first: float, last: float, length: int, factor: int) -> range:
    """Pixels of an axis that hold the centre of a finer pixel between two positions."""
    centre = 0.5 + burning.NUDGE
    start = max(math.ceil(first * factor - centre), 0) // factor
    stop = min(math.floor(last * factor - centre), length * factor - 1) // factor + 1
    return range(start, stop)


def read_aoi(aoi: Any, grid: Grid, *, factor: int = 1) -> Aoi:
    """Read an area of interest for a scene on `grid`.

    Args:
        aoi: one of: "xmin,ymin,xmax,ymax" in the CRS of the grid; the same after another CRS,
            "EPSG:4326:xmin,ymin,xmax,ymax"; a file of polygons, either GeoJSON (WGS 84 unless it
            has a ``crs`` member) or, with the extra ``gis``, one of `FORMATS`; a shapely
            geometry in the CRS of the grid; an object with ``geometry`` and ``crs``, such as a
            GeoDataFrame.
        factor: how many times finer the pixels of the map are.

    Raises:
        SceneError: `aoi` cannot be read, is not an area, or holds no pixel of the scene.
        MissingExtraError: a file other than GeoJSON needs the extra ``gis``.
    """
    area = _from_object(aoi, grid) or _box(str(aoi), grid) or _from_file(Path(aoi), grid)
    area = Aoi(_on_grid(area, grid))
    if not area.touches(grid, factor=factor):
        shown = aoi if isinstance(aoi, str | Path) else type(aoi).__name__
        raise SceneError(
            f"`aoi` {shown} covers no pixel of the scene: its bounds are "
            f"{_shown(area.polygons.bounds)}, the scene's {_shown(grid.bounds)} "
            f"(left, bottom, right, top in the scene's CRS){_other_order(aoi, grid, factor)}"
        )
    return area


def _other_order(aoi: Any, grid: Grid, factor: int) -> str:
    """The box with x and y swapped, if that one covers the scene; else empty."""
    name, _, listed = str(aoi).rpartition(":")
    words = listed.split(",")
    if not isinstance(aoi, str) or len(words) != 4:
        return ""
    text = ",".join((words[1], words[0], words[3], words[2]))
    try:
        box = _box(f"{name}:{text}" if name else text, grid)
    except SceneError:
        return ""
    if box is None or not Aoi(_on_grid(box, grid)).touches(grid, factor=factor):
        return ""
    return f": with x first it is {name}{':' * bool(name)}{text}"


def _on_grid(area: shapely.Geometry, grid: Grid) -> shapely.Geometry:
    """Move an area to the longitudes of a grid, which may run past 180°.

    Such a grid has 181° for the area's -179°; an area cut at 180° is at both ends of it.
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
    """The area of a geometry or a table of geometries; None for text and paths."""
    if isinstance(aoi, str | Path):
        return None
    name = type(aoi).__name__
    try:
        if isinstance(aoi, shapely.Geometry):
            return joined(np.array([aoi], object))
        if not hasattr(aoi, "geometry") or not hasattr(aoi, "crs"):
            raise SceneError("expected four numbers, a file, a geometry or a GeoDataFrame")
        if aoi.crs is None:
            raise SceneError("it has no CRS: set one with set_crs")
        if grid.crs is None:
            raise SceneError(
                "the scene has no CRS to transform it to: give a geometry in the scene's own "
                "coordinates"
            )
        area = joined(np.asarray(aoi.geometry, object))
        return transformed(area, CRS.from_user_input(aoi.crs), grid.crs)
    except SceneError as error:
        raise SceneError(f"`aoi` is a {name}: {error}") from error


def _box(text: str, grid: Grid) -> shapely.Geometry | None:
    """The box of four numbers; None for any other text."""
    name, _, listed = text.rpartition(":")
    try:
        numbers = [float(word) for word in listed.split(",")]
    except ValueError:
        return None
    crs = grid.crs
    if name:
        _required_crs(text, grid)
        try:
            crs = read_crs(name)
        except ValueError as error:
            raise SceneError(f"`aoi` {text}: {reason(error)}") from error
    if len(numbers) != 4:
        raise SceneError(f"`aoi` {text} has {len(numbers)} numbers, expected xmin,ymin,xmax,ymax")
    if not all(map(math.isfinite, numbers)):
        raise SceneError(f"`aoi` {text}: expected four finite numbers, xmin,ymin,xmax,ymax")
    left, bottom, right, top = numbers
    if left > right and crs is not None and crs.is_geographic:
        right += 360  # across 180°
    if left >= right or bottom >= top:
        raise SceneError(f"`aoi` {text} is not a box, expected xmin,ymin,xmax,ymax with min < max")
    box = shapely.box(left, bottom, right, top)
    if crs is None or grid.crs is None:
        return box
    try:
        return transformed(box, crs, grid.crs)
    except SceneError as error:
        raise SceneError(f"`aoi` {text}: {error}") from error


def _required_crs(aoi: str | Path, grid: Grid) -> CRS:
    if grid.crs is None:
        raise SceneError(
            f"`aoi` {aoi}: the scene has no CRS to transform it to: give xmin,ymin,xmax,ymax in "
            "the scene's own coordinates"
        )
    return grid.crs


def _from_file(path: Path, grid: Grid) -> shapely.Geometry:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise SceneError(
            f"`aoi` {path}: expected a file ({', '.join(FORMATS)}), xmin,ymin,xmax,ymax or "
            "EPSG:4326:xmin,ymin,xmax,ymax"
        )
    if not path.exists():
        raise SceneError(f"`aoi` {path}: no such file")
    is_json = suffix in GEOJSON
    try:
        content = read_regular(path, limit=MAX_BYTES)
        content = content if is_json or suffix == ARCHIVE else _packed(path, content)
    except OSError as error:
        raise SceneError(f"`aoi` {path}: cannot be read ({reason(error)})") from error
    wkt = _required_crs(path, grid).to_wkt()
    try:
        skipped = "" if is_json else ",".join(gdal_drivers())
        # Few points are always fast; with many, GEOS may take hours.
        if is_json and len(content) < FEW_BYTES:
            return shapely.from_wkb(area_of_file(content, suffix, wkt))
        area = run_apart(
            "geosrseg.raster.header.aoi_file:area_of_file",
            content,
            (suffix, wkt, skipped),
            seconds=MAX_SECONDS,
            memory=MAX_MEMORY,
        )
        return shapely.from_wkb(area)
    except (SceneError, GivenUpError) as error:
        raise SceneError(f"`aoi` {path}: {error}") from error


def _packed(path: Path, content: bytes) -> bytes:
    """A file and its companions as a ZIP archive."""
    suffix = path.suffix.lower()
    files = {suffix: content}
    for end in PARTS.get(suffix, ()):
        for part in (path.with_suffix(end), path.with_suffix(end.upper())):
            if part.exists():
                files[end] = read_regular(part, limit=MAX_BYTES)
                break
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # stored, not compressed
        for end, held in files.items():
            archive.writestr(f"area{end}", held)
    return packed.getvalue()


def _shown(bounds: tuple[float, float, float, float]) -> str:
    return "(" + ", ".join(f"{value:.10g}" for value in bounds) + ")"
