"""Quality flags: files of a product that say which pixels are usable."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import rasterio_window
from geosrseg.raster.files.resampling import Resampled, ResampledReader
from geosrseg.raster.storage.location import Location

MASKS = ("cloud", "shadow", "cirrus", "snow")
"""Words of ``--mask``; each sensor maps its own flags to them."""

INTEGERS = ("uint8", "uint16", "int16")


@dataclass(frozen=True, slots=True)
class Marks:
    """The flags that mark a pixel: any of some bits, or one of some values.

    Attributes:
        bits: a number in which all these bits are set, such as ``1 << 3 | 1 << 4``.
        values: whole numbers.
    """

    bits: int = 0
    values: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.bits, int):
            raise ValueError(f"the bits of marks are one number, such as 1 << 3, got {self.bits!r}")
        if not all(isinstance(value, int) for value in self.values):
            raise ValueError(f"the values of marks are whole numbers, got {self.values!r}")

    def __or__(self, other: "Marks") -> "Marks":
        return Marks(self.bits | other.bits, (*self.values, *other.values))

    def __bool__(self) -> bool:
        return bool(self.bits or self.values)

    def found_in(self, flags: NDArray[np.generic]) -> NDArray[np.bool_]:
        """True where a pixel is marked."""
        marked = np.bitwise_and(flags, np.asarray(self.bits).astype(flags.dtype)) != 0
        return marked | np.isin(flags, self.values) if self.values else marked


NOTHING = Marks()


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFile:
    """A scene's file of integer flags.

    Attributes:
        masked: flags of measured pixels that the user excludes, such as cloud.
        fill: flags of pixels that were not measured.
        index: the band that holds the flags, from 1.
        driver: the GDAL driver that reads it.
        resampled: how it is read on the scene's grid; None where it has that grid.
    """

    location: Location
    masked: Marks = NOTHING
    fill: Marks = NOTHING
    index: int = 1
    driver: str = "GTiff"
    resampled: Resampled | None = None

    def check(self, dataset: DatasetReader) -> None:
        """Raise SceneError for an open file that lacks the band, or does not hold flags."""
        if dataset.count < self.index or dataset.dtypes[self.index - 1] not in INTEGERS:
            raise SceneError(
                f"{self.location}: has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}, "
                f"expected {self.index} of uint8 or uint16 with quality flags: get it again"
            )

    def read_pixels(
        self,
        dataset: DatasetReader | ResampledReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
        masked_only: bool = False,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """As `BandSelection.read`: an array of 0 bands, and valid (rows, cols).

        Args:
            dataset: the open file, or a `ResampledReader` of it.
            window: the part to read; None for all.
            shape: (rows, cols) to reduce to, by nearest pixels, as flags have no mean. Unless
                `masked_only`, these are pixels of the file.
            masked_only: ignore `fill`.
        """
        marks = self.masked if masked_only else self.masked | self.fill
        if window and isinstance(dataset, ResampledReader) and (masked_only or not shape):
            valid = ~dataset.read_marked(self.index, marks.found_in, window)
            if shape:
                rows, cols = (
                    np.arange(part) * whole // part
                    for part, whole in zip(shape, valid.shape, strict=True)
                )
                valid = valid[rows[:, None], cols]
        else:
            flags = dataset.read(
                self.index,
                window=window and rasterio_window(window),
                out_shape=shape,
                resampling=Resampling.nearest,
            )
            valid = ~marks.found_in(flags)
        return np.empty((0, *valid.shape), np.uint8), valid


def check_mask(mask: Sequence[str]) -> tuple[str, ...]:
    """The names, each once, in the order of `MASKS`; SceneError if one is unknown."""
    for name in mask:
        if name not in MASKS:
            raise SceneError(f"`mask` has {name!r}, expected some of {', '.join(MASKS)}")
    return tuple(name for name in MASKS if name in mask)
