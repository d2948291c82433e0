"""Quality: files of flags, which say of every pixel of a product whether it is usable."""

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
from geosrseg.raster.files.resampling import Resampled
from geosrseg.raster.storage.location import Location

MASKS = ("cloud", "shadow", "cirrus", "snow")
"""What a user may ask to be masked; each sensor names its flags differently."""

INTEGERS = ("uint8", "uint16", "int16")
"""Types of flags."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Which numbers of a file of flags mark a pixel.

    Attributes:
        bits: a pixel is marked where any bit of this number is set, such as ``1 << 3 | 1 << 4``.
        values: and where it has one of these numbers.
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
    """A file of flags of a scene.

    Attributes:
        location: the file, of unsigned integers.
        masked: what is there and not wanted, such as cloud.
        fill: where nothing was measured.
        index: its band that holds the flags.
        driver: GDAL's, which reads it.
        resampled: how it gets onto the scene's grid; None where it lies on it.
    """

    location: Location
    masked: Marks = NOTHING
    fill: Marks = NOTHING
    index: int = 1
    driver: str = "GTiff"
    resampled: Resampled | None = None

    def check(self, dataset: DatasetReader) -> None:
        """Refuse an open file that cannot hold flags.

        Raises:
            SceneError: it lacks the band, or has other numbers.
        """
        if dataset.count < self.index or dataset.dtypes[self.index - 1] not in INTEGERS:
            raise SceneError(
                f"{self.location}: has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}, "
                f"expected {self.index} of uint8 or uint16 with quality flags: get it again"
            )

    def read(
        self,
        dataset: DatasetReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
        masked_only: bool = False,
    ) -> NDArray[np.bool_]:
        """Valid (rows, cols): True where no pixel is marked.

        Args:
            window: the part to read; without it, all.
            shape: (rows, cols) to take single pixels for; flags have no average.
            masked_only: of what is there only.
        """
        flags = dataset.read(
            self.index,
            window=window and rasterio_window(window),
            out_shape=shape,
            resampling=Resampling.nearest,
        )
        marks = self.masked if masked_only else self.masked | self.fill
        return ~marks.found_in(flags)

    def read_pixels(
        self,
        dataset: DatasetReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
        masked_only: bool = False,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """As `read`, in the form in which a file of bands is read: no bands, and valid."""
        valid = self.read(dataset, window, shape=shape, masked_only=masked_only)
        return np.empty((0, *valid.shape), np.uint8), valid


def check_mask(mask: Sequence[str]) -> tuple[str, ...]:
    """The names of what to mask, each known and once, in the order of `MASKS`.

    Raises:
        SceneError: a name is unknown.
    """
    for name in mask:
        if name not in MASKS:
            raise SceneError(f"`mask` has {name!r}, expected some of {', '.join(MASKS)}")
    return tuple(name for name in MASKS if name in mask)
