"""SrEncoding: how a super-resolved image becomes the scene's own numbers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.normalize import Normalization, Radiometry


@dataclass(frozen=True, slots=True)
class SrEncoding:
    """Model input -> reflectance -> digital number, the inverse of what the model was given.

    Attributes:
        dtype: of the numbers, as numpy names it.
        normalization: of the model.
    """

    dtype: str
    radiometry: Radiometry
    normalization: Normalization

    @property
    def nodata(self) -> float:
        """NaN, or the smallest integer: 0 for what has no sign."""
        return math.nan if self._is_float else float(np.iinfo(self.dtype).min)

    @property
    def _is_float(self) -> bool:
        return np.dtype(self.dtype).kind == "f"

    def blank(self, shape: tuple[int, int, int]) -> NDArray[np.generic]:
        """(bands, rows, cols) of nodata."""
        return np.full(shape, self.nodata, self.dtype)

    def encode(self, sr: NDArray[np.float32]) -> NDArray[np.generic]:
        """Turn an SR image into digital numbers.

        Integers are rounded and kept inside their range, which nodata is no part of.

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
        # A float32 holds every integer of 16 bits, and not of 32.
        working = np.dtype(np.float64 if limits and limits.bits > 16 else np.float32)
        gain = ((high - low) / scale).astype(working)
        bias = ((low - offset) / scale).astype(working)
        numbers = np.empty(sr.shape, self.dtype)
        for index, band in enumerate(sr):  # one at a time stays in the cache
            reckoned = np.multiply(band, gain[index], dtype=working)
            reckoned += bias[index]
            if limits:
                np.rint(reckoned, out=reckoned)
                np.clip(reckoned, limits.min + 1, limits.max, out=reckoned)
            numbers[index] = reckoned
        return numbers
