"""The land in a class map; a scene's picture is stretched for the brightness of its land."""

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling

from geosrseg.core.legend import Legend
from geosrseg.errors import OutputError
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed


def read_land(class_map: Path, legend: Legend, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) True where the map, resampled, has a class other than water.

    Raises:
        OutputError: the map cannot be read.
    """
    try:
        with unreferenced_allowed(), rasterio.open(class_map, driver="GTiff") as dataset:
            labels = dataset.read(1, out_shape=(height, width), resampling=Resampling.nearest)
    except GDAL_ERRORS as error:
        raise OutputError(f"{class_map}: the class map cannot be read ({reason(error)})") from error
    return legend.is_land()[labels]
