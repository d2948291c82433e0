"""Reference: the truth raster of an image, as class indices."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from geosrseg.core.legend import NODATA
from geosrseg.core.windows import Window
from geosrseg.data.reference_coding import (
    NO_CODE,
    ReferenceCoding,
    colour_codes,
    number_codes,
)
from geosrseg.errors import DatasetError
from geosrseg.raster.grid import Grid
from geosrseg.raster.layer import raster_window, read_grid
from geosrseg.raster.raster_files import RasterFiles


@dataclass(frozen=True)
class Reference:
    """A reference that can be read; see `open_reference`.

    Attributes:
        path: the file.
        grid: where its pixels lie.
        coding: what its values or colours mean.
        empty: numbers that mark pixels without a reference.
        files: what opens the file.
    """

    path: Path
    grid: Grid
    coding: ReferenceCoding
    empty: tuple[float, ...]
    files: RasterFiles

    def read(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) class indices of a window inside the grid; NODATA where ignored."""
        return self.coding.decode(self._read_codes(window))

    def count_unknown(self, window: Window) -> dict[int, int]:
        """Pixels by code, of the codes that the card does not know."""
        return self.coding.count_unknown(self._read_codes(window))

    def _read_codes(self, window: Window) -> NDArray[np.int32]:
        with self.files.use(self.path) as dataset:
            if not self.coding.is_coloured:
                return _read_numbers(dataset, window, empty=self.empty)
            if dataset.count == 1:
                return _read_palette(dataset, window)
            return _read_colours(dataset, window)


def open_reference(path: Path, *, coding: ReferenceCoding, files: RasterFiles) -> Reference:
    """Examine a reference.

    Raises:
        DatasetError: it cannot be opened, or does not hold what the coding needs.
    """
    with files.use(path) as dataset:
        found = f"{path} has {dataset.count} bands of {dataset.dtypes[0]}"
        is_rgb = dataset.count >= 3 and set(dataset.dtypes) == {"uint8"}
        if coding.is_coloured and not is_rgb and dataset.colorinterp[0] != ColorInterp.palette:
            raise DatasetError(
                f"{found}, and the card gives the classes colours, so three bands of uint8 or a "
                "palette were expected: give the classes numbers, as in reference = 3"
            )
        if not coding.is_coloured and dataset.count != 1:
            raise DatasetError(
                f"{found}, and the card gives the classes numbers, so one band was expected: "
                'give the classes colours, as in reference = "#ff0000"'
            )
        if "complex" in dataset.dtypes[0]:
            raise DatasetError(f"{found}: class ids are whole numbers")
        # A class that the card gives this value is one, whatever the file declares.
        named = {code for codes in coding.classes for code in codes}
        empty = {NODATA, dataset.nodata} - {None} - named
        return Reference(path, read_grid(dataset), coding, tuple(empty), files)


def find_numbers(paths: Iterable[Path]) -> set[float]:
    """The different numbers that rasters of one band hold.

    Raises:
        DatasetError: one cannot be read, or has several bands.
    """
    found: set[float] = set()
    files = RasterFiles()
    try:
        for path in paths:
            with files.use(path) as dataset:
                if dataset.count != 1:
                    raise DatasetError(
                        f"{path} has {dataset.count} bands, expected one with class ids: describe "
                        "colours by a dataset card"
                    )
                for _, window in dataset.block_windows(1):
                    found.update(np.unique(dataset.read(1, window=window)).tolist())
    finally:
        files.close()
    return found


def _read_numbers(
    dataset: DatasetReader, window: Window, *, empty: tuple[float, ...]
) -> NDArray[np.int32]:
    values = dataset.read(1, window=raster_window(window))
    codes = number_codes(values)
    for value in empty:
        codes[values == value] = NO_CODE
    return codes


def _read_palette(dataset: DatasetReader, window: Window) -> NDArray[np.int32]:
    palette = np.zeros((256, 4), np.uint8)
    for value, colour in dataset.colormap(1).items():
        palette[value] = colour
    codes = colour_codes(palette[:, :3].T[:, None])[0]
    codes[palette[:, 3] == 0] = NO_CODE
    return codes[dataset.read(1, window=raster_window(window))]


def _read_colours(dataset: DatasetReader, window: Window) -> NDArray[np.int32]:
    has_alpha = dataset.count > 3 and dataset.colorinterp[3] == ColorInterp.alpha
    bands = dataset.read([1, 2, 3, 4][: 3 + has_alpha], window=raster_window(window))
    codes = colour_codes(bands[:3])
    if has_alpha:
        codes[bands[3] == 0] = NO_CODE
    return codes
