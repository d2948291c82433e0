"""Tile index: a GeoPackage of footprints that GDAL 3.9 and later opens as one raster (GTI).

The index names the maps beside it. GDAL reprojects maps of another CRS on reading, to the nearest
pixel. QGIS opens the index with Layer > Add Raster Layer; as a vector layer it shows the maps'
footprints.
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
"""Suffix by which GDAL recognises a tile index."""


def write_tile_index(path: Path, maps: Sequence[CataloguedMap]) -> None:
    """Write the index.

    Args:
        path: the file; ends in `SUFFIX`.
        maps: maps with grids; later ones are on top where several have a class.

    Raises:
        OutputError: the index cannot be written.
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
    # Without BAND_COUNT the driver opens a map, and reads nodata and colours from it.
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
        VERSION="1.2",  # readable without a warning by a GIS of 2022
    )
