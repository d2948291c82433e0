"""Quality: what the quality files of a Landsat product say of a pixel, bit by bit.

The bits are those of the Landsat Collection 2 data format control books: QA_PIXEL is the
same for all sensors from Landsat 4 on, but without cirrus before Landsat 8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.header.selection import rasterio_window
from geosrseg.raster.storage.location import Location

FILL = 1 << 0

MASKS = {
    "cloud": 1 << 3 | 1 << 1,  # the cloud, and the rim that the product dilates it by
    "shadow": 1 << 4,
    "cirrus": 1 << 2,
    "snow": 1 << 5,
}
"""Bits of QA_PIXEL by the name of what they mark."""

DROPPED = 1 << 9
"""Bit of QA_RADSAT: the sensor did not deliver the pixel (Landsat 4 to 7)."""


@dataclass(frozen=True, slots=True)
class QualityFile:
    """A file of flags on the scene's grid.

    Attributes:
        location: the file, of one band of unsigned integers.
        bits: a pixel is not usable where any of them is set.
    """

    location: Location
    bits: int

    def check(self, dataset: DatasetReader) -> None:
        """Refuse an open file that cannot hold flags.

        Raises:
            SceneError: it has several bands, or other numbers.
        """
        if dataset.count != 1 or dataset.dtypes[0] not in ("uint8", "uint16"):
            raise SceneError(
                f"{self.location}: has {dataset.count} bands of {dataset.dtypes[0]}, expected "
                f"one of uint16 with quality flags: get it again"
            )

    def read(
        self,
        dataset: DatasetReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
    ) -> NDArray[np.bool_]:
        """Valid (rows, cols): True where none of the bits is set.

        Args:
            dataset: the open file.
            window: the part to read; without it, all.
            shape: (rows, cols) to take single pixels for; flags have no average.
        """
        flags = dataset.read(
            1,
            window=window and rasterio_window(window),
            out_shape=shape,
            resampling=Resampling.nearest,
        )
        return (flags & self.bits) == 0

    def read_pixels(
        self,
        dataset: DatasetReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """As `read`, in the form in which a file of bands is read: no bands, and valid."""
        valid = self.read(dataset, window, shape=shape)
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


def saturation_bits(numbers: Sequence[int]) -> int:
    """Bits of QA_RADSAT that make a pixel unusable.

    Args:
        numbers: the sensor's numbers of the bands that are read.
    """
    return sum(1 << (number - 1) for number in numbers) | DROPPED
