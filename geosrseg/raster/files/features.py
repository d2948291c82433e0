"""Features: points and polygons of a vector file, brought to the CRS of a map."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform

from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.crs_text import read_crs
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason
from geosrseg.regular_file import open_regular

MAX_JSON_BYTES = 2**28
"""Of a GeoJSON; larger ones are quicker as a GeoPackage."""

_BEGINS = (b"fgb", b"PAR1", b"\x00\x00\x27\x0a")
"""Of FlatGeobuf, GeoParquet, and the ``.shp`` of a shapefile."""

_STEPS = 50
"""Pieces of the longer side of a polygon before its CRS changes: a straight line of one CRS is
a curve in another."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Geometries in the CRS of a map, and one value each.

    Attributes:
        geometries: points or polygons; none is empty.
        values: of the column that was asked for, in the order of the geometries; the number
            of the feature, from 1, where none was.
    """

    geometries: NDArray[np.object_]
    values: tuple[object, ...]

    def __len__(self) -> int:
        return len(self.values)


def read_features(path: str | Path, grid: Grid, *, column: str | None, kinds: str) -> Features:
    """Read a vector file for a map on `grid`.

    Args:
        path: GeoPackage, GeoJSON, FlatGeobuf, GeoParquet or a shapefile.
        grid: of the map.
        column: whose values are wanted; None for none.
        kinds: what the geometries may be: ``Point``, ``Polygon`` or ``Point Polygon``; their
            multiples are taken too.

    Raises:
        OutputError: it cannot be read, has no such column, or holds other geometries.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    path = Path(path)
    with _opened(path) as (meta, shapes, fields):
        geometries = shapely.from_wkb(shapes)
        crs = read_crs(meta["crs"]) if meta["crs"] else grid.crs
    names = list(meta["fields"])
    if column is not None and column not in names:
        raise OutputError(f"{path}: has no column {column!r}, only {', '.join(names) or 'none'}")
    values = np.arange(1, len(geometries) + 1) if column is None else fields[names.index(column)]
    kept = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    geometries = geometries[kept]
    _check_kinds(path, geometries, kinds)
    return Features(
        _transformed(path, geometries, crs, grid.crs), tuple(np.asarray(values)[kept].tolist())
    )


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a vector file by name, without its geometries.

    Raises:
        OutputError: it cannot be read.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    with _opened(path, read_geometry=False) as (meta, _, fields):
        return dict(zip(meta["fields"].tolist(), fields, strict=True))


@contextmanager
def _opened(
    path: Path, *, read_geometry: bool = True
) -> Iterator[tuple[Mapping[str, Any], NDArray[np.object_], Sequence[NDArray[Any]]]]:
    """What pyogrio says of a file, its geometries as WKB, and its columns.

    Raises:
        OutputError: it cannot be read, here or by who takes it up.
    """
    with extra("gis"):
        from pyogrio.errors import DataSourceError  # noqa: PLC0415
        from pyogrio.raw import read  # noqa: PLC0415
    if not path.exists():
        raise OutputError(f"{path}: no such file")
    try:
        check_kind(path)
        meta, _, shapes, fields = read(path, layer=the_layer(path), read_geometry=read_geometry)
        yield meta, shapes, fields
    except (DataSourceError, OSError, ValueError, shapely.errors.ShapelyError) as error:
        raise OutputError(
            f"{path}: cannot be read as points or polygons ({reason(error)})"
        ) from error


def the_layer(path: Path) -> str | None:
    """The one layer of a file that has geometries; None, for the first, if there are several.

    A GeoPackage that QGIS has styled holds a table of styles besides.
    """
    from pyogrio import list_layers  # noqa: PLC0415

    names = [str(name) for name, kind in list_layers(path) if kind is not None]
    return names[0] if len(names) == 1 else None


def check_kind(path: Path) -> None:
    """Refuse what is none of the usual kinds by its content.

    GDAL would try some sixty drivers, of which some follow what they read to other files and to
    the network.

    Raises:
        OSError: it is no regular file.
        ValueError: it is of another kind, or names its CRS by other than code or WKT.
    """
    with open_regular(path) as file:
        begin = file.read(72)
        is_json = begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
        document = parse_json(begin + file.read(MAX_JSON_BYTES)) if is_json else None
    match document:
        case {"crs": {"properties": {"name": str(name)}}}:
            read_crs(name)
    is_geopackage = begin.startswith(b"SQLite format 3\0") and begin[68:70] == b"GP"
    if not is_json and not is_geopackage and not begin.startswith(_BEGINS):
        raise ValueError("expected GeoPackage, GeoJSON, FlatGeobuf, GeoParquet or a shapefile")


def _check_kinds(path: Path, geometries: NDArray[np.object_], kinds: str) -> None:
    allowed = kinds.split()
    found = {item.geom_type.removeprefix("Multi") for item in geometries}
    if not found <= set(allowed) or not found:
        raise OutputError(
            f"{path}: holds {' and '.join(sorted(found)) or 'nothing'}, expected "
            f"{' or '.join(allowed)} features"
        )


def _transformed(
    path: Path, geometries: NDArray[np.object_], crs: CRS | None, target: CRS | None
) -> NDArray[np.object_]:
    if crs == target:
        return geometries
    if crs is None or target is None:
        raise OutputError(f"{path}: features and map need a CRS each, or none of them")
    sides = shapely.bounds(geometries)
    longest = np.maximum(sides[:, 2] - sides[:, 0], sides[:, 3] - sides[:, 1])
    dense = shapely.segmentize(geometries, np.where(longest > 0, longest, 1) / _STEPS)

    def project(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(transform(crs, target, points[:, 0], points[:, 1])[:2], axis=1)

    try:
        return np.asarray(shapely.transform(dense, project), np.object_)
    except GDAL_ERRORS as error:
        raise OutputError(
            f"{path}: cannot be brought to the map's CRS ({reason(error)})"
        ) from error
