"""Reference: the truth raster of an image, as class indices."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Compression
from rasterio.io import DatasetReader

from geosrseg.core.legend import NODATA
from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.reference_coding import (
    NO_CODE,
    ReferenceCoding,
    colour_codes,
    number_codes,
)
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid, rasterio_window
from geosrseg.raster.files.raster_files import RasterFiles, find_driver
from geosrseg.raster.files.warp import Warp, find_warp
from geosrseg.raster.storage.gdal import small_cache

_LOSSY = (Compression.jpeg,)
"""Of a TIFF. WebP and LERC may lose nothing, which no tag tells."""


@dataclass(frozen=True)
class Reference:
    """A reference that can be read; see `open_reference`.

    Attributes:
        coding: what its values or colours mean.
        palette: (256,) codes by value, where the colours are a palette.
        empty: numbers that mark pixels without a reference.
        warp: brings it onto the image's grid; None if it lies there.
        files: what opens the file.
    """

    path: Path
    coding: ReferenceCoding
    palette: NDArray[np.int32] | None
    empty: tuple[float, ...]
    warp: Warp | None
    files: RasterFiles

    def read(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) class indices of a window inside the grid; NODATA where ignored."""
        return self.coding.decode(self.read_codes(window))

    def count_unknown(self, window: Window) -> dict[int, int]:
        """Pixels by code, of the codes that the card does not know."""
        return self.coding.count_unknown(self.read_codes(window))

    def read_codes(self, window: Window) -> NDArray[np.int32]:
        """(rows, cols) codes of a window, see `ReferenceCoding`."""
        with self.files.use(self.path, self.warp) as dataset:
            kinds = dataset.colorinterp
            colours = 3 if self.coding.is_coloured and self.palette is None else 1
            indexes = [*range(1, colours + 1)]
            if ColorInterp.alpha in kinds[colours:]:
                indexes.append(kinds.index(ColorInterp.alpha) + 1)
            bands = dataset.read(indexes, window=rasterio_window(window))
        codes = self._codes(bands[:colours])
        if len(bands) > colours:
            codes[bands[-1] == 0] = NO_CODE
        return codes

    def _codes(self, bands: NDArray[np.generic]) -> NDArray[np.int32]:
        """(rows, cols) codes of one band of numbers or three of colours."""
        if len(bands) == 3:
            return colour_codes(bands.astype(np.uint8, copy=False))
        if self.palette is not None:
            return self.palette[bands[0].astype(np.uint8, copy=False)]
        codes = number_codes(bands[0])
        for value in self.empty:
            codes[bands[0] == value] = NO_CODE
        return codes


def open_reference(
    path: Path, *, coding: ReferenceCoding, grid: Grid, files: RasterFiles
) -> Reference:
    """Examine a reference.

    Args:
        coding: what its values or colours mean.
        grid: of the image, which the windows are of.
        files: what opens it.

    Raises:
        DatasetError: it cannot be opened, does not hold what the coding needs, or lies
            elsewhere than its image.
    """
    with files.use(path) as dataset:
        found = f"{path} has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}"
        is_rgb = dataset.count >= 3 and set(dataset.dtypes) == {"uint8"}
        if coding.is_coloured and not is_rgb and dataset.colorinterp[0] != ColorInterp.palette:
            raise DatasetError(
                f"{found}, and the card gives the classes colours, so three bands of uint8 or a "
                "palette were expected: give the classes numbers, as in reference = 3"
            )
        alphas = dataset.colorinterp.count(ColorInterp.alpha)
        if not coding.is_coloured and dataset.count - alphas != 1:
            raise DatasetError(
                f"{found}, and the card gives the classes numbers, so one band was expected: "
                'give the classes colours, as in reference = "#ff0000"'
            )
        if "complex" in dataset.dtypes[0]:
            raise DatasetError(f"{found}: class ids are whole numbers")
        # A class that the card gives this value is one, also where the file declares it nodata.
        named = {code for codes in coding.classes for code in codes}
        empty = {NODATA, dataset.nodata} - {None} - named
        warp = find_warp(path, dataset, grid)
        palette = None if is_rgb or not coding.is_coloured else read_palette(dataset)
        return Reference(path, coding, palette, tuple(empty), warp, files)


def is_lossy(path: Path) -> bool:
    """Whether a file is compressed so that its values are no longer exact.

    Raises:
        DatasetError: it cannot be opened.
    """
    files = RasterFiles()
    try:
        with files.use(path) as dataset:
            return find_driver(path) == "JPEG" or dataset.compression in _LOSSY
    finally:
        files.close()


def find_numbers(paths: Iterable[Path]) -> set[float]:
    """The different numbers that rasters of one band hold.

    Raises:
        DatasetError: one cannot be read, or has several bands.
    """
    found: set[float] = set()
    files = RasterFiles()
    try:
        for path in paths:
            # GDAL would keep all that is read, up to a twentieth of the machine's memory.
            with small_cache(), files.use(path) as dataset:
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


def read_palette(dataset: DatasetReader) -> NDArray[np.int32]:
    """(256,) codes of a palette's colours; `NO_CODE` where they are transparent."""
    palette = np.zeros((256, 4), np.uint8)
    for value, colour in dataset.colormap(1).items():
        palette[value] = colour
    codes = colour_codes(palette[:, :3].T[:, None])[0]
    codes[palette[:, 3] == 0] = NO_CODE
    return codes
