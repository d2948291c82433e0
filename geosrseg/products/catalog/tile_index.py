"""Tile index: a GeoPackage of footprints that GDAL 3.9 and later opens as one raster (GTI).

The maps are found beside it, by their names; those of another CRS are brought to the index's
when they are read, each pixel taking the nearest. QGIS opens it by Layer > Add Raster Layer, and as
a vector layer it shows where the maps lie.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyogrio
import shapely

from geosrseg.errors import OutputError
from geosrseg.products.catalog.catalogued_map import CataloguedMap, has_one_crs
from geosrseg.products.catalog.layer_grid import Box, common_grid, longitude_latitude_grid
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import cause

SUFFIX = ".gti.gpkg"
"""By which GDAL knows it from other GeoPackages."""


def write_tile_index(path: Path, maps: Sequence[CataloguedMap]) -> None:
    """Write the index.

    Args:
        path: the file, which ends in `SUFFIX`.
        maps: with their grids; later ones lie on top where several have a class.

    Raises:
        OutputError: it cannot be written.
    """
    grids = [item.grid for item in maps if item.grid is not None]
    if has_one_crs(maps):
        boxes, grid = [grid.bounds for grid in grids], common_grid(grids)
    else:
        boxes = [item.bbox for item in maps if item.bbox is not None]
        grid = longitude_latitude_grid(grids, boxes)
    try:
        _write(path, maps, boxes, grid)
    except (RuntimeError, OSError) as error:  # pyogrio's are RuntimeErrors
        raise OutputError(f"{path}: cannot be written ({cause(error, path.parent)})") from error


def _write(path: Path, maps: Sequence[CataloguedMap], boxes: Sequence[Box], grid: Grid) -> None:
    left, bottom, right, top = grid.bounds
    columns = {
        "location": np.array([item.file for item in maps], np.object_),
        "datetime": np.array([item.taken.isoformat() for item in maps], np.object_),
        "z_order": np.arange(len(maps), dtype=np.int32),
    }
    # Without BAND_COUNT the driver opens a map, and takes nodata and colours from it.
    settings = {
        "RESX": grid.transform.a,
        "RESY": -grid.transform.e,
        "MINX": left,
        "MINY": bottom,
        "MAXX": right,
        "MAXY": top,
        "SORT_FIELD": "z_order",
        "RESAMPLING": "nearest",
    }
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapely.box(*np.array(boxes).T)),
        list(columns.values()),
        list(columns),
        layer="maps",
        driver="GPKG",
        geometry_type="Polygon",
        crs=grid.crs.to_wkt() if grid.crs else None,
        layer_metadata={key: str(value) for key, value in settings.items()},
        VERSION="1.2",  # which a GIS of 2022 reads without a warning
    )
