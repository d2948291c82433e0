"""Reads untrusted vector files with GDAL in a separate process, from copies.

GDAL would try some sixty drivers on any input, and some of them open further files or the network.
SQLite runs the query of a view, and a crafted geometry can take hours. So a child process with one
driver, little time and little memory does the reading.
"""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform

from geosrseg.apart import GivenUpError, run_apart
from geosrseg.core.text.geojson import plain_geojson, stated_crs
from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import shown
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.raster.storage.crs_text import check_wkt, read_crs
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason
from geosrseg.regular_file import open_regular, read_regular

DRIVERS = {
    ".gpkg": "GPKG",
    ".fgb": "FlatGeobuf",
    ".shp": "ESRI Shapefile",
    ".kml": "KML",
    ".kmz": "LIBKML",
    ".gml": "GML",
    ".tab": "MapInfo File",
    ".mif": "MapInfo File",
    ".geojson": "GeoJSON",
    ".parquet": "Parquet",
}
"""File suffix -> GDAL driver."""

PARTS = {
    ".shp": (".shx", ".prj"),
    ".tab": (".map", ".dat", ".id"),
    ".mif": (".mid",),
}
"""Files of the same name that hold parts of the geometries."""

_COLUMNS = {".shp": (".dbf", ".cpg")}
"""Files of the same name that hold the columns."""

_BEGINS = {b"fgb": ".fgb", b"PAR1": ".parquet", b"\x00\x00\x27\x0a": ".shp", b"SQLi": ".gpkg"}

MAX_BYTES = 2**31
"""Largest file accepted, companions included."""

MAX_JSON_BYTES = 2**28
"""Largest GeoJSON accepted; larger data is faster as a GeoPackage."""

MAX_POINTS = 10_000_000
"""Most points accepted in all geometries together."""

MAX_SECONDS = 40.0
MAX_MEMORY = 2**32
"""Limits of the child process, in seconds and bytes."""

STEPS = 50
"""Pieces of a geometry's longer side before its CRS changes, because a straight line in one CRS
is a curve in another."""

_SQLITE = b"SQLite format 3\0"
_GEOPACKAGE = (b"GPKG", b"GP10", b"GP11")
"""Application ids of a GeoPackage, at the bytes 68 to 71."""

_FAILURES: tuple[type[Exception], ...] = (*GDAL_ERRORS, ValueError, RuntimeError, sqlite3.Error)
"""Errors of reading a file; those of pyogrio are RuntimeError."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorFile:
    """Geometries and columns of a vector file.

    Attributes:
        geometries: in the requested CRS, None for a feature without one; an empty array where
            they were not requested.
        columns: name -> the value of each feature.
    """

    geometries: NDArray[np.object_]
    columns: dict[str, NDArray[Any]]


def read_vector_file(path: Path, crs: CRS | None, *, geometries: bool = True) -> VectorFile:
    """Read GeoPackage, GeoJSON, FlatGeobuf, GeoParquet or a shapefile, told by its content.

    Args:
        crs: CRS that the geometries are transformed to; None if the map has none.
        geometries: also read the geometries.

    Raises:
        OutputError: the file cannot be read, or only one of the file and `crs` has a CRS.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    skipped = ",".join(gdal_drivers())
    if not path.exists():
        raise OutputError(f"{path}: no such file")
    wanted = "geometries" if geometries else ""
    try:
        answer = run_apart(
            f"{__name__}:serve_vector_file",
            str(path.absolute()).encode("utf-8", "surrogateescape"),
            (crs.to_wkt() if crs else "", wanted, skipped),
            seconds=MAX_SECONDS,
            memory=MAX_MEMORY,
        )
    except (OutputError, GivenUpError) as error:
        raise OutputError(f"{path}: cannot be read as points or polygons ({error})") from error
    return _unpacked(answer)


def gdal_drivers() -> list[str]:
    """Names of the vector drivers of the GDAL in this process.

    Raises:
        MissingExtraError: the extra ``gis`` is not installed.
    """
    with extra("gis"):
        from pyogrio import list_drivers  # noqa: PLC0415
    return list(list_drivers())


def leave_one_driver(driver: str, skipped: str) -> None:
    """In a child process: leave GDAL one vector driver and no network.

    Args:
        skipped: comma-separated names of all drivers.
    """
    # GDAL reads these when pyogrio is first imported.
    os.environ["OGR_SKIP"] = ",".join(name for name in skipped.split(",") if name != driver)
    os.environ["GDAL_HTTP_PROXY"] = "refused://"
    os.environ["PROJ_NETWORK"] = "OFF"


def check_geopackage(path: Path) -> None:
    """Refuse a file that is not a GeoPackage, or has views or virtual tables.

    The query of a view may never end, and virtual tables can open other files.

    Raises:
        ValueError: names the table.
        sqlite3.Error: the database is damaged.
    """
    with open_regular(path) as file:
        begin = file.read(72)
    if not begin.startswith(_SQLITE) or begin[68:72] not in _GEOPACKAGE:
        raise ValueError("is not a GeoPackage: expected GeoPackage or GeoJSON")
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        rows = database.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master")
        for kind, name, made in rows:
            words = " ".join(str(made).lower().split())
            virtual = words.startswith("create virtual table") and " using rtree" not in words
            if virtual or (kind == "view" and not str(name).startswith("st_")):
                raise ValueError(f"has {shown(name)}, which is not a plain table")


def serve_vector_file(content: bytes, crs: str, wanted: str, skipped: str) -> bytes:
    """In a child process: read the file at the path `content`.

    Raises:
        OutputError: the file cannot be read; the message does not name it.
    """
    path = Path(os.fsdecode(content))
    with tempfile.TemporaryDirectory() as folder, rasterio.Env():
        try:
            copy, stated = _copied(path, Path(folder))
            leave_one_driver(DRIVERS[copy.suffix], skipped)
            if copy.suffix == ".gpkg":
                check_geopackage(copy)
            return _read(copy, stated, target=CRS.from_wkt(crs) if crs else None, wanted=wanted)
        except _FAILURES as error:
            text = reason(error).replace(f"{folder}/", "")
            raise OutputError(text) from error


def _copied(path: Path, folder: Path) -> tuple[Path, CRS | None]:
    """A copy of the file and its parts, and the CRS of a GeoJSON, which GDAL must not parse."""
    with open_regular(path) as file:
        begin = file.read(72)
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        document = parse_json(
            read_regular(path, limit=MAX_JSON_BYTES).removeprefix(b"\xef\xbb\xbf")
        )
        copy = folder / "features.geojson"
        copy.write_text(json.dumps(plain_geojson(document)), encoding="utf-8")
        name = stated_crs(document)
        return copy, CRS.from_epsg(4326) if name is None else read_crs(name)
    suffix = next((end for magic, end in _BEGINS.items() if begin.startswith(magic)), "")
    if not suffix:
        raise ValueError("expected GeoPackage, GeoJSON, FlatGeobuf, GeoParquet or a shapefile")
    left = MAX_BYTES
    for end in (suffix, *PARTS.get(suffix, ()), *_COLUMNS.get(suffix, ())):
        for part in (
            [path] if end == suffix else [path.with_suffix(end), path.with_suffix(end.upper())]
        ):
            if part.exists():
                left -= _copy(part, folder / f"features{end}", limit=left)
                break
    return folder / f"features{suffix}", None


def _copy(source: Path, target: Path, *, limit: int) -> int:
    with open_regular(source) as file, target.open("xb") as copy:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"has {size} bytes, expected at most {MAX_BYTES} in all")
        shutil.copyfileobj(file, copy)
    return size


def _read(path: Path, stated: CRS | None, *, target: CRS | None, wanted: str) -> bytes:
    from pyogrio import list_layers  # noqa: PLC0415 - see `leave_one_driver`
    from pyogrio.raw import read  # noqa: PLC0415

    # A GeoPackage that QGIS has styled also holds a table of styles.
    layers = [str(name) for name, kind in list_layers(path) if kind is not None]
    layer = layers[0] if len(layers) == 1 else None
    meta, _, shapes, fields = read(path, layer=layer, read_geometry=bool(wanted))
    geometries = np.array([], object)
    if wanted:
        geometries = shapely.from_wkb(shapes)
        if shapely.get_num_coordinates(geometries).sum() > MAX_POINTS:
            raise ValueError(f"has more than {MAX_POINTS} points: simplify it, or split it")
        geometries = repaired(geometries)
        source = stated or (read_crs(meta["crs"]) if meta["crs"] else target)
        geometries = _transformed(geometries, source, target)
    return _packed(geometries, dict(zip(meta["fields"].tolist(), fields, strict=True)))


def _transformed(
    geometries: NDArray[np.object_], source: CRS | None, target: CRS | None
) -> NDArray[np.object_]:
    if source == target:
        return geometries
    if source is None or target is None:
        raise ValueError("either both features and map need a CRS, or neither")
    for crs in (source, target):
        check_wkt(crs.to_wkt())
    dense = with_more_points(geometries)

    def project(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(transform(source, target, points[:, 0], points[:, 1])[:2], axis=1)

    return np.asarray(shapely.transform(dense, project), np.object_)


def repaired(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Replace invalid polygons by valid ones that cover all their parts.

    Shapely's other functions drop parts of a polygon that crosses itself, or ground that two
    parts share.
    """
    polygonal = np.isin(
        shapely.get_type_id(geometries),
        (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
    )
    invalid = polygonal & ~shapely.is_valid(geometries)
    mended = geometries.copy()
    mended[invalid] = shapely.make_valid(
        geometries[invalid], method="structure", keep_collapsed=False
    )
    return np.asarray(mended, np.object_)


def with_more_points(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Split sides so that a geometry's longer extent has at least `STEPS` pieces."""
    left, bottom, right, top = shapely.bounds(geometries).T
    longest = np.maximum(right - left, top - bottom)
    dense = shapely.segmentize(geometries, np.where(longest > 0, longest, 1) / STEPS)
    return np.asarray(dense, np.object_)


def _packed(geometries: NDArray[np.object_], columns: dict[str, NDArray[Any]]) -> bytes:
    """Serialise as arrays of numbers, with texts as JSON and without pickles."""
    shapes = [shape or b"" for shape in shapely.to_wkb(geometries)]
    arrays: dict[str, NDArray[Any]] = {
        "names": _as_bytes(list(columns)),
        "sizes": np.array([len(shape) for shape in shapes], np.int64),
        "shapes": np.frombuffer(b"".join(shapes), np.uint8),
    }
    for number, values in enumerate(columns.values()):
        if values.dtype == object:
            arrays[f"texts{number}"] = _as_bytes(values.tolist())
        else:
            arrays[f"column{number}"] = values
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _as_bytes(values: Sequence[object]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(values, default=str).encode(), np.uint8)


def _unpacked(answer: bytes) -> VectorFile:
    with np.load(BytesIO(answer), allow_pickle=False) as arrays:
        names = json.loads(arrays["names"].tobytes())
        columns = {name: _column(arrays, number) for number, name in enumerate(names)}
        parts = np.split(arrays["shapes"], np.cumsum(arrays["sizes"])[:-1])
        shapes = [part.tobytes() or None for part in parts[: len(arrays["sizes"])]]
    return VectorFile(shapely.from_wkb(np.array(shapes, object)), columns)


def _column(arrays: Any, number: int) -> NDArray[Any]:
    if f"column{number}" in arrays:
        values: NDArray[Any] = arrays[f"column{number}"]
        return values
    texts = json.loads(arrays[f"texts{number}"].tobytes())
    column = np.empty(len(texts), object)
    column[:] = texts
    return column
