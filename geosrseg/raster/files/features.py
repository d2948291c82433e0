"""Reads points and polygons of a vector file, with one column, in the CRS of a map."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.vector_file import read_vector_file


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Geometries in the CRS of a map, and one value each.

    Attributes:
        geometries: points or polygons; none is empty.
        values: the requested column in the order of the geometries; without a column, the
            number of each feature, from 1.
    """

    geometries: NDArray[np.object_]
    values: tuple[object, ...]

    def __len__(self) -> int:
        return len(self.values)


def value_text(value: object) -> str:
    """Return a column's value as text: ``3`` for 3 and 3.0, empty for a missing one.

    A column of whole numbers with gaps is read as floats.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def read_features(path: str | Path, grid: Grid, *, column: str | None, kinds: str) -> Features:
    """Read a vector file for a map on `grid`.

    Args:
        path: GeoPackage, GeoJSON, FlatGeobuf, GeoParquet or a shapefile.
        column: its name; None for feature numbers.
        kinds: geometry types allowed: ``Point``, ``Polygon`` or ``Point Polygon``. Multipoints
            and multipolygons count as these.

    Raises:
        OutputError: the file cannot be read, lacks the column, or holds other geometries.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    path = Path(path)
    found = read_vector_file(path, grid.crs)
    names = list(found.columns)
    if column is not None and column not in names:
        raise OutputError(f"{path}: has no column {column!r}, only {', '.join(names) or 'none'}")
    geometries = found.geometries
    values = np.arange(1, len(geometries) + 1) if column is None else found.columns[column]
    kept = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    geometries = geometries[kept]
    allowed = kinds.split()
    held = {item.geom_type.removeprefix("Multi") for item in geometries}
    if not held <= set(allowed) or not held:
        raise OutputError(
            f"{path}: holds {' and '.join(sorted(held)) or 'nothing'}, expected "
            f"{' or '.join(allowed)} features"
        )
    return Features(geometries, tuple(np.asarray(values)[kept].tolist()))


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a vector file by name, without its geometries.

    Raises:
        OutputError: the file cannot be read.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    return read_vector_file(path, None, geometries=False).columns
