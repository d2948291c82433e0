"""A layer: one band of small integers, such as a reference or a split raster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.windows
from numpy.typing import NDArray

from geosrseg.core.windows import Window
from geosrseg.errors import DatasetError
from geosrseg.raster.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.raster.grid import Grid


@dataclass(frozen=True)
class Layer:
    """An open layer; see `open_layer`."""

    path: Path
    grid: Grid
    dataset: rasterio.DatasetReader

    def read(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) values; the window lies inside the grid."""
        area = rasterio.windows.Window(window.col_off, window.row_off, window.width, window.height)
        try:
            return self.dataset.read(1, window=area)
        except GDAL_ERRORS as error:
            raise DatasetError(f"cannot read {self.path} at {window} ({reason(error)})") from error


@contextmanager
def open_layer(path: Path) -> Iterator[Layer]:
    """Open a GeoTIFF of one uint8 band.

    Raises:
        DatasetError: it cannot be opened, or is of another kind.
    """
    try:
        with unreferenced_allowed():
            dataset = rasterio.open(path, driver="GTiff")
    except GDAL_ERRORS as error:
        raise DatasetError(f"cannot open {path} as a GeoTIFF ({reason(error)})") from error
    with dataset:
        if dataset.count != 1 or dataset.dtypes[0] != "uint8":
            raise DatasetError(
                f"{path} has {dataset.count} bands of {dataset.dtypes[0]}: class ids and splits "
                "are one band of uint8"
            )
        grid = Grid(dataset.crs, dataset.transform, dataset.height, dataset.width)
        yield Layer(path, grid, dataset)
