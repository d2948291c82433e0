"""Index raster: a file with one uint8 band, such as the split of a dataset's image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid, rasterio_window
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import Warp, find_warp


@dataclass(frozen=True)
class IndexRaster:
    """An index raster; see `open_index_raster`.

    Attributes:
        warp: maps the file onto the image's grid; None if it has the same grid.
    """

    path: Path
    warp: Warp | None
    files: RasterFiles

    def read(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) values; the window must be inside the image's grid."""
        with self.files.use(self.path, self.warp) as dataset:
            return dataset.read(1, window=rasterio_window(window))


def open_index_raster(path: Path, *, grid: Grid, files: RasterFiles) -> IndexRaster:
    """Examine a file of one uint8 band, to be read by windows of an image's `grid`.

    Raises:
        DatasetError: the file cannot be opened, has other bands, or does not overlap the image.
    """
    with files.use(path) as dataset:
        if dataset.count != 1 or dataset.dtypes[0] != "uint8":
            raise DatasetError(
                f"{path} has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}: "
                "a split is one band of uint8"
            )
        return IndexRaster(path, find_warp(path, dataset, grid), files)
