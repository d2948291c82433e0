"""Strips: reads a class map and its confidence layer from top to bottom, for products."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.confidence import as_confidence, check_confidence
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed

STRIP_PIXELS = 2**21
"""Pixels of the map held in memory at once."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Whole rows of a class map.

    Attributes:
        row_off: the first row.
        labels: (rows, width) class ids or NODATA.
        confidence: (2, rows, width) percent of confidence and of doubt, or NODATA; None if the
            layer is not open.
    """

    row_off: int
    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True)
class Strips:
    """An open class map and, optionally, its confidence layer; iterating reads the whole map."""

    grid: Grid
    labels: DatasetReader
    confidence: DatasetReader | None

    def __iter__(self) -> Iterator[Strip]:
        rows = max(STRIP_PIXELS // self.grid.width, 1)
        for row_off in range(0, self.grid.height, rows):
            height = min(rows, self.grid.height - row_off)
            area = RasterioWindow(0, row_off, self.grid.width, height)
            labels = _read(self.labels, area)[0]
            yield Strip(row_off, labels, self.confidence and _confidence(self.confidence, area))


@contextmanager
def open_strips(
    class_map_path: str | Path, confidence_path: str | Path | None = None
) -> Iterator[Strips]:
    """Open a class map, and the confidence layer on its grid.

    Raises:
        OutputError: a file cannot be read, now or during iteration, or the grids differ.
    """
    with ExitStack() as stack:
        stack.enter_context(small_cache())
        labels = stack.enter_context(_open(Path(class_map_path)))
        grid, confidence = Grid.of(labels), None
        if confidence_path is not None:
            confidence = stack.enter_context(_open(Path(confidence_path)))
            check_confidence(confidence, Path(confidence_path), grid)
        yield Strips(grid, labels, confidence)


def _open(path: Path) -> DatasetReader:
    try:
        with unreferenced_allowed():
            return rasterio.open(path, driver="GTiff")
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be read ({reason(error)})") from error


def _confidence(dataset: DatasetReader, area: RasterioWindow) -> NDArray[np.uint8]:
    return as_confidence(_read(dataset, area), name=dataset.name)


def _read(dataset: DatasetReader, area: RasterioWindow) -> NDArray[np.uint8]:
    try:
        return dataset.read(window=area)
    except GDAL_ERRORS as error:
        raise OutputError(f"{dataset.name}: cannot be read ({reason(error)})") from error
