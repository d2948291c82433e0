"""Feature files: writes polygons with attributes, batch by batch.

GDAL writes GeoPackage, FlatGeobuf and GeoJSON, through pyogrio. GeoParquet (version 1.1, with
well-known binary in one column) is written here, because the GDAL in wheels has no driver for it.
"""

import json
import sqlite3
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from rasterio.crs import CRS

from geosrseg.errors import OutputError
from geosrseg.products.polygons.geopackage_style import add_style
from geosrseg.raster.storage.gdal import cause

DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON", ".parquet": "Parquet"}
"""GDAL driver by suffix."""

# A GIS of 2022 reads GeoPackage 1.2 without a warning, and 1.4 has nothing that we need.
OPTIONS = {"GPKG": {"VERSION": "1.2"}, "GeoJSON": {"RFC7946": "YES"}}
"""Creation options by driver."""

GEOMETRY = "geometry"
"""Column of the polygons as well-known binary."""


def write_features(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    *,
    schema: pa.Schema,
    crs: CRS | None,
    qml: str,
    name: Path,
) -> None:
    """Write a feature file, and check the number of features in it.

    Args:
        path: the file, with a suffix of `DRIVERS`. GeoJSON is in longitude and latitude (RFC
            7946), other formats keep the CRS.
        batches: features, in order.
        schema: schema of the batches.
        crs: CRS of the polygons.
        qml: QGIS style, stored in a GeoPackage.
        name: path shown in messages.

    Raises:
        OutputError: the file cannot be written, or is GeoJSON without a CRS.
    """
    counted = _Counted(batches)
    try:
        if path.suffix.lower() == ".parquet":
            _write_parquet(path, counted, schema, crs)
            found = pq.read_metadata(path).num_rows
        else:
            _write_ogr(path, counted, schema, crs)
            if path.suffix.lower() == ".gpkg":
                add_style(path, layer=path.stem, qml=qml)
            found = _count_features(path)
    except (RuntimeError, OSError, sqlite3.Error) as error:  # pyogrio's are RuntimeErrors
        if counted.error is not None:
            raise counted.error from None
        raise OutputError(
            f"{name}: cannot be written ({cause(error, Path(name).parent)})"
        ) from error
    if found != counted.features:
        raise OutputError(
            f"{name}: contains {found} features, {counted.features} were written: check the disk, "
            "then try again"
        )


class _Counted:
    """Counts the features of batches, and keeps the error that stops them from GDAL's rewording."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.features = 0
        self.error: BaseException | None = None
        self._batches = batches

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self.features += batch.num_rows
                yield batch
        except GeneratorExit:
            raise  # the consumer stopped early
        except BaseException as error:
            self.error = error
            raise


def _write_ogr(
    path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema, crs: CRS | None
) -> None:
    driver = DRIVERS[path.suffix.lower()]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'crs' was not provided")
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, batches),
            path,
            layer=path.stem,
            driver=driver,
            geometry_name=GEOMETRY,
            geometry_type="Polygon",
            crs=None if crs is None else crs.to_wkt(),
            **OPTIONS.get(driver, {}),
        )


def _count_features(path: Path) -> int:
    if path.suffix.lower() == ".geojson":
        return _count_geojson(path)
    layer = path.stem if path.suffix.lower() == ".gpkg" else None
    count: int = pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"]
    return count


def _count_geojson(path: Path) -> int:
    """Count the features of a GeoJSON written by GDAL; -1 for a truncated file.

    GDAL would load the whole file, and refuses polygons larger than about 10 MB.
    """
    count, part = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            part = part[1 - len(_FEATURE) :] + chunk
            count += part.count(_FEATURE)
    return count if part.rstrip().endswith(b"}") else -1


_FEATURE = b'"type": "Feature"'


def _write_parquet(
    path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema, crs: CRS | None
) -> None:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": None if crs is None else crs.to_dict(projjson=True),
        "orientation": "counterclockwise",
    }
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    schema = schema.with_metadata({"geo": json.dumps(geo)})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
