"""DatasetImage: a native image of a dataset, read by window as its card says."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.normalize import Normalization, Radiometry, normalize_bands
from geosrseg.core.windows import Window
from geosrseg.datasets.card.image_format import ImageFormat
from geosrseg.errors import DatasetError, SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.location import Location
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import Warp
from geosrseg.raster.header.header import SceneOptions, read_header
from geosrseg.raster.header.selection import BandSelection
from geosrseg.raster.reading import MAX_PIXELS


@dataclass(frozen=True)
class DatasetImage:
    """An image that can be read; see `open_image`.

    Attributes:
        path: the file.
        grid: where its pixels lie, or where they are warped to.
        selection: its bands, in the card's order.
        radiometry: digital number to reflectance.
        files: what opens the file.
        warp: brings it onto the grid; None if it lies there.
    """

    path: Path
    grid: Grid
    selection: BandSelection
    radiometry: Radiometry
    files: RasterFiles
    warp: Warp | None = None

    def read(
        self, window: Window, *, normalization: Normalization
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """A window inside the image.

        Returns:
            (bands, rows, cols) network input in [0, 1], and valid (rows, cols).

        Raises:
            DatasetError: it cannot be decoded.
        """
        numbers, valid = self._read(window)
        inputs = normalize_bands(
            numbers, valid, radiometry=self.radiometry, normalization=normalization
        )
        return inputs, valid

    def read_valid(self, window: Window) -> NDArray[np.bool_]:
        """(rows, cols) True where every band has a measurement."""
        return self._read(window)[1]

    def _read(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        with self.files.use(self.path, self.warp) as dataset:
            return self.selection.read(dataset, window)


def open_image(
    path: Path, *, bands: tuple[str, ...], stored: ImageFormat, files: RasterFiles
) -> DatasetImage:
    """Examine an image.

    Args:
        path: the file.
        bands: the card's names.
        stored: what the card says of the file; the file says the rest.
        files: what opens it.

    Raises:
        DatasetError: it cannot be opened, or is not what the card says.
    """
    with files.use(path) as dataset:
        try:
            header = read_header(
                dataset,
                Location.of(path),
                SceneOptions(
                    model_bands=bands,
                    bands=",".join(map(str, stored.indexes)) if stored.indexes else None,
                    scale=1.0 if stored.radiometry else None,
                    max_pixels=MAX_PIXELS,
                ),
            )
        except SceneError as error:
            raise DatasetError(
                f"{path}: {error} (in a dataset card, these are bands, scale and offset of [image])"
            ) from error
    (file,) = header.files
    selection = file.selection
    if stored.nodata is not None:
        selection = replace(selection, nodata=(stored.nodata,) * len(bands))
    radiometry = stored.radiometry or header.radiometry
    return DatasetImage(path, header.grid, selection, radiometry, files)
