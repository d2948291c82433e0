"""The file of an area of interest: GeoJSON or GeoPackage in, polygons in the scene's CRS out."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
import shapely.geometry
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import finite, shown
from geosrseg.errors import SceneError
from geosrseg.raster.files.crs_text import check_wkt, read_crs
from geosrseg.raster.files.gdal import GDAL_ERRORS, reason

MAX_POINTS = 1_000_000
"""Of all polygons together; the borders of a country have some ten thousand."""

STEPS = 50
"""Points put on the longer side of an area before its CRS changes: straight lines of one
CRS are curves in another."""

_SQLITE = b"SQLite format 3\0"
_GEOPACKAGE = (b"GPKG", b"GP10", b"GP11")
"""Of the header of a GeoPackage, at the bytes 68 to 71."""

_Ring = list[tuple[float, float]]


def area_of_file(content: bytes, suffix: str, crs: str) -> bytes:
    """The area of a file's content.

    Args:
        content: of the file.
        suffix: of its name, in lower case.
        crs: of the scene, as WKT.

    Returns:
        A geometry of polygons in the scene's CRS, as WKB.

    Raises:
        SceneError: the content is none of this kind, or no area.
    """
    with rasterio.Env():  # GDAL's own messages stay unheard
        read = _read_geopackage if suffix == ".gpkg" else _read_geojson
        geometries, source = read(content)
        _check_count(geometries)
        area = transformed(joined(geometries), source, CRS.from_wkt(crs))
        return bytes(shapely.to_wkb(area))


def _read_geojson(content: bytes) -> tuple[NDArray[np.object_], CRS]:
    try:
        document = parse_json(content)
        geometries = [shapely.Polygon(shell, holes) for shell, *holes in _polygons(document)]
        return np.array(geometries, object), _geojson_crs(document)
    except (ValueError, shapely.errors.ShapelyError) as error:
        raise SceneError(f"is no GeoJSON ({reason(error)})") from error


def _geojson_crs(document: Any) -> CRS:
    """WGS 84 by the standard, RFC 7946; what was written before it may name another."""
    match document:
        case {"crs": {"properties": {"name": str(name)}}}:
            return read_crs(name)
        case {"crs": dict() as other}:
            raise ValueError(f"its crs has no name: {shown(other)}")
    return CRS.from_epsg(4326)


def _polygons(document: Any) -> Iterator[list[_Ring]]:
    """The rings of each polygon.

    Raises:
        ValueError: the document is no GeoJSON, or holds other shapes.
    """
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


def _read_geopackage(content: bytes) -> tuple[NDArray[np.object_], CRS]:
    from pyogrio.errors import DataSourceError  # noqa: PLC0415
    from pyogrio.raw import read  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "area.gpkg")
        path.write_bytes(content)
        try:
            _check_tables(path)
            meta, _, geometries, _ = read(path, columns=[])
            return shapely.from_wkb(geometries), read_crs(str(meta["crs"]))
        except (
            DataSourceError,
            ValueError,
            sqlite3.Error,
            shapely.errors.ShapelyError,
        ) as error:
            raise SceneError(f"cannot be read as a GeoPackage ({reason(error)})") from error


def check_geopackage(content: bytes) -> None:
    """Refuse what is none by its header: GDAL would try some sixty drivers with it.

    Raises:
        SceneError: it is none.
    """
    if not content.startswith(_SQLITE) or content[68:72] not in _GEOPACKAGE:
        raise SceneError("is no GeoPackage: expected one, or GeoJSON")


def _check_tables(path: Path) -> None:
    """Refuse a database that computes: views may never end, other tables lead elsewhere."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        rows = database.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master")
        for kind, name, made in rows:
            words = " ".join(str(made).lower().split())
            virtual = words.startswith("create virtual table") and " using rtree" not in words
            if virtual or (kind == "view" and not str(name).startswith("st_")):
                raise ValueError(f"it has {shown(name)}, which is no plain table")


def _check_count(geometries: NDArray[np.object_]) -> None:
    count = int(shapely.get_num_coordinates(geometries).sum())
    if count > MAX_POINTS:
        raise SceneError(
            f"its polygons have {count} points, expected at most {MAX_POINTS}: simplify them"
        )


def joined(geometries: NDArray[np.object_]) -> shapely.Geometry:
    """One geometry of polygons; what crosses itself is mended first."""
    parts = shapely.get_parts(shapely.get_parts(geometries))
    kinds = sorted({part.geom_type for part in parts if not part.is_empty})
    if kinds != ["Polygon"]:
        raise SceneError(f"holds {' and '.join(kinds) or 'nothing'}, not polygons")
    mended = shapely.get_parts(shapely.get_parts(shapely.make_valid(parts)))
    joined = shapely.union_all([part for part in mended if part.geom_type == "Polygon"])
    _check_count(np.array([joined], object))
    return joined


def transformed(area: shapely.Geometry, source: CRS, target: CRS) -> shapely.Geometry:
    """An area in another CRS.

    Raises:
        SceneError: it cannot be brought there.
    """
    if source == target:
        return area
    left, bottom, right, top = area.bounds
    dense = shapely.segmentize(area, max(right - left, top - bottom) / STEPS)
    try:
        for crs in (source, target):
            check_wkt(crs.to_wkt())
        there = transform_geom(source, target, shapely.geometry.mapping(dense))
        return joined(np.array([shapely.geometry.shape(there)], object))
    except (*GDAL_ERRORS, ValueError, shapely.errors.ShapelyError) as error:
        raise SceneError(f"cannot be brought to the scene's CRS ({reason(error)})") from error
