"""SrEncoding: turns a super-resolved image into digital numbers like the scene's."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.normalize import Normalization, Radiometry


@dataclass(frozen=True, slots=True)
class SrEncoding:
    """Model input -> reflectance -> digital number, the inverse of `normalize_bands`.

    Attributes:
        dtype: numpy name of the digital numbers' data type.
    """

    dtype: str
    radiometry: Radiometry
    normalization: Normalization

    @property
    def nodata(self) -> float:
        """NaN for floats, otherwise the minimum of the dtype (0 if unsigned), or of int32.

        That of int64 does not survive in a file: GDAL writes it as -9.22e+18 and reads -9.
        """
        if self._is_float:
            return math.nan
        return float(max(np.iinfo(self.dtype).min, np.iinfo(np.int32).min))

    @property
    def _is_float(self) -> bool:
        return np.dtype(self.dtype).kind == "f"

    def blank(self, shape: tuple[int, int, int]) -> NDArray[np.generic]:
        """Return an array (bands, rows, cols) of nodata."""
        return np.full(shape, self.nodata, self.dtype)

    def encode(self, sr: NDArray[np.float32]) -> NDArray[np.generic]:
        """Turn an SR image into digital numbers.

        Integers are rounded and clipped to the range of the dtype above nodata.

        Args:
            sr: (bands, rows, cols) normalized reflectance, not clipped.

        Returns:
            (bands, rows, cols) of `dtype`.
        """
        scale, offset, low, high = (
            np.asarray(values, np.float64)
            for values in (
                self.radiometry.scale,
                self.radiometry.offset,
                self.normalization.low,
                self.normalization.high,
            )
        )
        limits = None if self._is_float else np.iinfo(self.dtype)
        # A float32 holds every 16-bit integer, but not every 32-bit one.
        working = np.dtype(np.float64 if limits and limits.bits > 16 else np.float32)
        gain = ((high - low) / scale).astype(working)
        bias = ((low - offset) / scale).astype(working)
        numbers = np.empty(sr.shape, self.dtype)
        for index, band in enumerate(sr):  # one at a time stays in the cache
            exact = np.multiply(band, gain[index], dtype=working)
            exact += bias[index]
            if limits:
                np.rint(exact, out=exact)
                np.clip(exact, self.nodata + 1, limits.max, out=exact)
            numbers[index] = exact
        return numbers
