"""A layer: one band of small integers, such as a split raster."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio.windows
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import Warp, check_overlap, same_grid


@dataclass(frozen=True)
class Layer:
    """A layer that can be read; see `open_layer`.

    Attributes:
        path: the file.
        warp: brings it onto the image's grid; None if it lies there.
        files: what opens the file.
    """

    path: Path
    warp: Warp | None
    files: RasterFiles

    def read(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) values; the window lies inside the grid."""
        with self.files.use(self.path, self.warp) as dataset:
            return dataset.read(1, window=raster_window(window))


def open_layer(path: Path, *, grid: Grid, files: RasterFiles) -> Layer:
    """Examine a file of one uint8 band.

    Args:
        path: the file.
        grid: of the image, which the windows are of.
        files: what opens it.

    Raises:
        DatasetError: it cannot be opened, is of another kind, or lies elsewhere.
    """
    with files.use(path) as dataset:
        if dataset.count != 1 or dataset.dtypes[0] != "uint8":
            raise DatasetError(
                f"{path} has {dataset.count} bands of {dataset.dtypes[0]}: a split is one band "
                "of uint8"
            )
        return Layer(path, find_warp(path, dataset, grid), files)


def read_grid(dataset: DatasetReader) -> Grid:
    """Where the pixels of an open file lie."""
    return Grid(dataset.crs, dataset.transform, dataset.height, dataset.width)


def find_warp(path: Path, dataset: DatasetReader, grid: Grid) -> Warp | None:
    """How an open file of classes comes onto the grid of its image; None if it lies there.

    Raises:
        DatasetError: it cannot be brought there.
    """
    own = read_grid(dataset)
    if same_grid(own, grid):
        return None
    check_overlap(own, grid, name=str(path), of="its image")
    return Warp(grid)


def raster_window(window: Window) -> rasterio.windows.Window:
    """A window as rasterio has it."""
    return rasterio.windows.Window(window.col_off, window.row_off, window.width, window.height)
