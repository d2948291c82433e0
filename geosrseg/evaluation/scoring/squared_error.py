"""Squared error and PSNR of a reconstructed image against the native one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class SquaredError:
    """Sums over the counted pixels of one image.

    Attributes:
        total: sum of squared differences over pixels and bands.
        values: number of differences.
    """

    total: float = 0.0
    values: int = 0

    def add(
        self,
        image: NDArray[np.float32],
        native: NDArray[np.float32],
        *,
        counted: NDArray[np.bool_],
    ) -> None:
        """Count a part of the image.

        Args:
            image: (bands, rows, cols) normalized reflectance, not clipped.
            native: same shape, in [0, 1].
            counted: (rows, cols) pixels to count.
        """
        difference = (image - native)[:, counted].astype(np.float64)
        self.total += float(np.square(difference).sum())
        self.values += difference.size

    @property
    def psnr(self) -> float:
        """10·log10(1 / MSE) in dB; infinite for equal images, NaN if nothing was counted."""
        if not self.values:
            return math.nan
        mse = self.total / self.values
        return 10 * math.log10(1 / mse) if mse else math.inf


def mean_psnr(images: Iterable[SquaredError]) -> float:
    """Return the mean PSNR of the images, as in the paper; NaN without images."""
    values = [image.psnr for image in images if image.values]
    return math.fsum(values) / len(values) if values else math.nan
