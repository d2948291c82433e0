"""Reference: the reference raster of an image, read as class indices."""

from collections.abc import Iterable
from contextlib import closing
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


@dataclass(frozen=True)
class Reference:
    """A reference raster; see `open_reference`.

    Attributes:
        coding: meaning of the values or colours.
        palette: (256,) code of each value, where the colours are a palette.
        empty: numbers that mark pixels without a reference.
        warp: brings the raster onto the image's grid; None where it is there already.
    """

    path: Path
    coding: ReferenceCoding
    palette: NDArray[np.int32] | None
    empty: tuple[float, ...]
    warp: Warp | None
    files: RasterFiles

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Return (rows, cols) class indices of a window inside the grid; NODATA where ignored."""
        return self.coding.decode(self.read_codes(window))

    def read_codes(self, window: Window) -> NDArray[np.int32]:
        """Return (rows, cols) codes of a window, see `ReferenceCoding`."""
        with self.files.use(self.path, self.warp) as dataset:
            kinds = dataset.colorinterp
            colours = 3 if self.coding.is_coloured and self.palette is None else 1
            indexes = [*range(1, colours + 1)]
            if ColorInterp.alpha in kinds[colours:]:
                indexes.append(kinds.index(ColorInterp.alpha) + 1)
            bands = dataset.read(indexes, window=rasterio_window(window))
        if colours == 3:
            codes = colour_codes(bands[:3].astype(np.uint8, copy=False))
        elif self.palette is not None:
            codes = self.palette[bands[0].astype(np.uint8, copy=False)]
        else:
            codes = number_codes(bands[0])
            for value in self.empty:
                codes[bands[0] == value] = NO_CODE
        if len(bands) > colours:
            codes[bands[-1] == 0] = NO_CODE
        return codes


def open_reference(
    path: Path, *, coding: ReferenceCoding, grid: Grid, files: RasterFiles
) -> Reference:
    """Open a reference and check it.

    Args:
        coding: meaning of the values or colours.
        grid: grid of the image, on which windows are read.

    Raises:
        DatasetError: the reference cannot be opened, has other bands or types than the coding
            needs, or is not where its image is.
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
        # A value that the card gives to a class is not nodata, even where the file declares it.
        named = {code for codes in coding.classes for code in codes}
        empty = {NODATA, dataset.nodata} - {None} - named
        warp = find_warp(path, dataset, grid)
        palette = None if is_rgb or not coding.is_coloured else read_palette(dataset)
        return Reference(path, coding, palette, tuple(empty), warp, files)


def is_lossy(path: Path) -> bool:
    """Return whether lossy compression has changed the values of a file.

    Raises:
        DatasetError: the file cannot be opened.
    """
    with closing(RasterFiles()) as files, files.use(path) as dataset:
        # WebP and LERC may be lossless, which no tag tells.
        return find_driver(path) == "JPEG" or dataset.compression == Compression.jpeg


def find_numbers(paths: Iterable[Path]) -> set[float]:
    """Return the distinct numbers in rasters of one band.

    Raises:
        DatasetError: a raster cannot be read, or has several bands.
    """
    found: set[float] = set()
    # Without a limit GDAL caches all that it reads, up to a twentieth of the machine's memory.
    with closing(RasterFiles()) as files, small_cache():
        for path in paths:
            with files.use(path) as dataset:
                if dataset.count != 1:
                    raise DatasetError(
                        f"{path} has {dataset.count} bands, expected one with class ids: describe "
                        "colours in a dataset card"
                    )
                for _, window in dataset.block_windows(1):
                    found.update(np.unique(dataset.read(1, window=window)).tolist())
    return found


def read_palette(dataset: DatasetReader) -> NDArray[np.int32]:
    """Return (256,) codes of a palette's colours; `NO_CODE` where they are transparent."""
    palette = np.zeros((256, 4), np.uint8)
    for value, colour in dataset.colormap(1).items():
        palette[value] = colour
    codes = colour_codes(palette[:, :3].T[:, None])[0]
    codes[palette[:, 3] == 0] = NO_CODE
    return codes
