"""MaskSurvey: the values or colours of a mask, counted in one pass."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.card.reference_coding import NO_CODE, colour_codes
from geosrseg.datasets.reference import is_lossy, read_palette
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import rasterio_window
from geosrseg.raster.files.raster_files import RasterFiles

ROWS = 256
"""Rows read at once."""

KEPT = 4096
"""Most values that are counted: a mask has few classes, and the rest are blurred edges."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskSurvey:
    """The pixels of a mask.

    Attributes:
        is_coloured: the values are colours, red * 65536 + green * 256 + blue.
        palette: (256,) colours of the numbers; None without a palette.
        is_lossy: lossy compression has changed the values.
        counts: pixels of the most frequent values, without those that the file marks as empty.
        held_out: the same within the blocks that validate, for each size of block.
    """

    path: Path
    is_coloured: bool
    palette: NDArray[np.int32] | None
    is_lossy: bool
    counts: Counter[float]
    held_out: tuple[Counter[float], ...]

    def in_colours(self) -> "MaskSurvey":
        """Return the mask with the colours of its palette in place of numbers."""
        if self.palette is None:
            return self
        tallies: list[Counter[float]] = []
        for counts in (self.counts, *self.held_out):
            tallies.append(Counter())
            for number, count in counts.items():
                tallies[-1][int(self.palette[int(number)])] += count
        return MaskSurvey(self.path, True, None, self.is_lossy, tallies[0], tuple(tallies[1:]))


def survey_mask(path: Path, *, blocks: Sequence[int], files: RasterFiles) -> MaskSurvey:
    """Count the values of a mask, a strip of rows at a time.

    Args:
        blocks: sizes of blocks, of which one in five may validate.

    Raises:
        DatasetError: the mask cannot be read, or has neither one band nor three of colours.
    """
    with files.use(path) as dataset:
        alphas = dataset.colorinterp.count(ColorInterp.alpha)
        bands = dataset.count - alphas
        palette = None
        if bands == 1 and dataset.colorinterp[0] == ColorInterp.palette:
            palette = read_palette(dataset)
        if bands not in (1, 3) or (bands == 3 and dataset.dtypes[0] != "uint8"):
            raise DatasetError(
                f"{path} has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}: "
                "a mask has one band of class ids, or three of 8 bits with colours; if it is an "
                "image, remove the word that means mask from its name or folder"
            )
        splits = [BlockSplit(size).fitted(dataset.height, dataset.width) for size in blocks]
        counts: Counter[float] = Counter()
        held_out: tuple[Counter[float], ...] = tuple(Counter() for _ in blocks)
        for top in range(0, dataset.height, ROWS):
            strip = Window(top, 0, min(ROWS, dataset.height - top), dataset.width)
            values, valid = _read(dataset, strip, bands, palette)
            _count(counts, values[valid])
            for split, tally in zip(splits, held_out, strict=True):
                _count(tally, values[valid & (split.read(strip) == 2)])
    return MaskSurvey(path, bands == 3, palette, is_lossy(path), counts, held_out)


def _read(
    dataset: DatasetReader, strip: Window, bands: int, palette: NDArray[np.int32] | None
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return (rows, cols) values, and True where the file does not mark them as empty."""
    window = rasterio_window(strip)
    read = dataset.read([*range(1, bands + 1)], window=window)
    valid: NDArray[np.bool_] = np.ones(read.shape[1:], np.bool_)
    for index, kind in enumerate(dataset.colorinterp, 1):
        if kind == ColorInterp.alpha:
            valid = dataset.read(index, window=window) != 0
    if palette is not None:
        return read[0], valid & (palette[read[0]] != NO_CODE)
    if bands == 3:
        return colour_codes(read), valid
    if read.dtype.kind == "f":
        valid &= ~np.isnan(read[0])
    if dataset.nodata is not None:
        valid &= read[0] != dataset.nodata
    return read[0], valid


def _count(counts: Counter[float], values: NDArray[np.generic]) -> None:
    found, numbers = np.unique(values, return_counts=True)
    counts.update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))
    if len(counts) > 16 * KEPT:
        for value, _ in counts.most_common()[KEPT:]:
            del counts[value]
