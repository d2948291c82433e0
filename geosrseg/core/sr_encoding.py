"""SrEncoding: how a super-resolved image becomes the scene's own numbers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.normalize import Normalization, Radiometry, denormalize_bands


@dataclass(frozen=True, slots=True)
class SrEncoding:
    """Model input -> reflectance -> digital number, the inverse of what the model was given.

    Attributes:
        dtype: of the numbers, as numpy names it.
        radiometry: of the scene.
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
        scale, offset = (
            np.asarray(values, np.float32)[:, None, None]
            for values in (self.radiometry.scale, self.radiometry.offset)
        )
        numbers = denormalize_bands(sr, normalization=self.normalization)
        numbers -= offset
        numbers /= scale
        if self._is_float:
            return numbers.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        whole = np.rint(numbers, dtype=np.float64)  # which every 32-bit integer is
        return np.clip(whole, limits.min + 1, limits.max).astype(self.dtype)
