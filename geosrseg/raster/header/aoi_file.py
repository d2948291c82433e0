"""Reads the file of an area of interest: a vector file in, polygons in the scene's CRS out.

GeoJSON is parsed here and all other formats by GDAL, in a separate process. GDAL would try some
sixty drivers on any input, and some of them open further files or the network. So the process has
only the driver of the file's suffix, and reads copies under names of its own choice.
"""

import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import rasterio
import shapely
import shapely.geometry
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from geosrseg.core.text.geojson import stated_crs
from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import finite, shown
from geosrseg.errors import SceneError
from geosrseg.raster.files.vector_file import (
    DRIVERS,
    PARTS,
    check_geopackage,
    leave_one_driver,
    repaired,
    with_more_points,
)
from geosrseg.raster.storage.crs_text import check_wkt, read_crs
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason

MAX_POINTS = 1_000_000
"""Most points accepted in all polygons together; a country's borders have some ten thousand."""

MAX_ARCHIVE_BYTES = 2**28
"""Most bytes unpacked from an archive."""

SUFFIXES = (".gpkg", ".fgb", ".shp", ".kml", ".kmz", ".gml", ".tab", ".mif")
"""Files read by GDAL."""

ARCHIVE = ".zip"
"""An archive of one such file; agencies publish shapefiles so."""

_OPTIONS = {"GML": {"DOWNLOAD_SCHEMA": "NO"}}

_Ring = list[tuple[float, float]]


def area_of_file(content: bytes, suffix: str, crs: str, skipped: str = "") -> bytes:
    """Parse an area of interest; may run in a child process.

    Args:
        content: a GeoJSON, or an archive of a vector file and its companions.
        suffix: suffix of the file that the user named, in lower case.
        crs: the scene's CRS, as WKT.
        skipped: comma-separated names of GDAL's drivers; empty for a GeoJSON.

    Returns:
        A geometry of polygons in the scene's CRS, as WKB.

    Raises:
        SceneError: the content has another format, or holds no area.
    """
    with rasterio.Env():  # silences GDAL's own messages
        geometries, source = _read_archive(content, skipped) if skipped else _read_geojson(content)
        _check_count(geometries)
        area = transformed(joined(geometries), source, CRS.from_wkt(crs))
        return bytes(shapely.to_wkb(area))


def _read_geojson(content: bytes) -> tuple[NDArray[np.object_], CRS]:
    try:
        document = parse_json(content)
        geometries = [shapely.Polygon(shell, holes) for shell, *holes in _polygons(document)]
        name = stated_crs(document)
        return np.array(geometries, object), CRS.from_epsg(4326) if name is None else read_crs(name)
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise SceneError(f"is not GeoJSON ({reason(error)})") from error


def _polygons(document: Any) -> Iterator[list[_Ring]]:
    """The rings of each polygon; ValueError for other shapes or no GeoJSON."""
    waiting = [document]
    while waiting:
        match waiting.pop():
            case {"type": "FeatureCollection", "features": list(inner)}:
                waiting.extend(reversed(inner))
            case {"type": "GeometryCollection", "geometries": list(inner)}:
                waiting.extend(reversed(inner))
            case {"type": "Feature", "geometry": geometry}:
                waiting.extend([] if geometry is None else [geometry])
            case {"type": "Polygon", "coordinates": list(rings)}:
                if rings:
                    yield _rings(rings)
            case {"type": "MultiPolygon", "coordinates": list(parts)}:
                yield from map(_rings, parts)
            case {"type": "Point" | "LineString" | "MultiPoint" | "MultiLineString" as kind}:
                raise ValueError(f"it holds a {kind}, not polygons")
            case other:
                raise ValueError(f"expected a feature or polygons, got {shown(other)}")


def _rings(rings: Any) -> list[_Ring]:
    if not isinstance(rings, list) or not rings:
        raise ValueError(f"a polygon is a list of rings, got {shown(rings)}")
    return [_ring(ring) for ring in rings]


def _ring(points: Any) -> _Ring:
    if not isinstance(points, list):
        raise ValueError(f"a ring is a list of points, got {shown(points)}")
    return [_point(point) for point in points]


def _point(point: Any) -> tuple[float, float]:
    match point:
        case [x, y, *_]:
            return finite(x, "a coordinate"), finite(y, "a coordinate")
    raise ValueError(f"a point is a list of two numbers, got {shown(point)}")


def _read_archive(content: bytes, skipped: str) -> tuple[NDArray[np.object_], CRS]:
    """The polygons of the one vector file in an archive."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = _extract(content, Path(folder))
            driver = DRIVERS[path.suffix]
            leave_one_driver(driver, skipped)
            from pyogrio.errors import DataLayerError, DataSourceError  # noqa: PLC0415
            from pyogrio.raw import read  # noqa: PLC0415
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
            raise SceneError(f"cannot be read ({reason(error)})") from error
        try:
            if path.suffix == ".gpkg":
                check_geopackage(path)
            meta, _, geometries, _ = read(
                path, columns=[], force_2d=True, **_OPTIONS.get(driver, {})
            )
            shapes = shapely.from_wkb(geometries)
            if not meta["crs"]:
                raise SceneError("has no CRS: add one (a shapefile's .prj), or give a GeoJSON")
            return shapes[~shapely.is_missing(shapes)], read_crs(str(meta["crs"]))
        except (
            DataSourceError,
            DataLayerError,
            ValueError,
            sqlite3.Error,
            shapely.errors.ShapelyError,
        ) as error:
            raise SceneError(f"cannot be read as {driver} ({reason(error)})") from error


def _extract(content: bytes, folder: Path) -> Path:
    """Unpack the only vector file of an archive and its companions.

    Raises:
        ValueError: the archive holds no vector file or several, or they are too large.
    """
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = {item.filename: item for item in archive.infolist() if not item.is_dir()}
        heads = [name for name in members if PurePosixPath(name).suffix.lower() in SUFFIXES]
        heads = [name for name in heads if not name.startswith("__MACOSX/")]
        if len(heads) != 1:
            listed = ", ".join(map(shown, heads[:5])) or "none"
            raise ValueError(
                f"expected one of {', '.join(SUFFIXES)} in the archive, found {listed}"
            )
        (head,) = heads
        suffix = PurePosixPath(head).suffix.lower()
        stem = head[: -len(suffix)].lower()
        wanted = {stem + end: end for end in (suffix, *PARTS.get(suffix, ()))}
        found = {end: item for name, item in members.items() if (end := wanted.get(name.lower()))}
        if sum(item.file_size for item in found.values()) > MAX_ARCHIVE_BYTES:
            raise ValueError(f"its files have more than {MAX_ARCHIVE_BYTES} bytes")
        for end, item in found.items():
            (folder / f"area{end}").write_bytes(archive.read(item))
    return folder / f"area{suffix}"


def _check_count(geometries: NDArray[np.object_]) -> None:
    count = int(shapely.get_num_coordinates(geometries).sum())
    if count > MAX_POINTS:
        raise SceneError(
            f"its polygons have {count} points, expected at most {MAX_POINTS}: simplify them"
        )


def joined(geometries: NDArray[np.object_]) -> shapely.Geometry:
    """Merge polygons into one geometry; invalid ones are repaired first."""
    parts = shapely.get_parts(shapely.get_parts(geometries))
    kinds = sorted({part.geom_type for part in parts if not part.is_empty})
    if kinds != ["Polygon"]:
        raise SceneError(f"holds {' and '.join(kinds) or 'nothing'}, not polygons")
    joined = shapely.union_all(repaired(parts))
    _check_count(np.array([joined], object))
    return joined


def transformed(area: shapely.Geometry, source: CRS, target: CRS) -> shapely.Geometry:
    """Transform an area to another CRS.

    Raises:
        SceneError: PROJ cannot transform it.
    """
    if source == target:
        return area
    (dense,) = with_more_points(np.array([area], object))
    try:
        for crs in (source, target):
            check_wkt(crs.to_wkt())
        there = transform_geom(source, target, shapely.geometry.mapping(dense))
        return joined(np.array([shapely.geometry.shape(there)], object))
    except (*GDAL_ERRORS, ValueError, shapely.errors.ShapelyError) as error:
        raise SceneError(f"cannot be transformed to the scene's CRS ({reason(error)})") from error
