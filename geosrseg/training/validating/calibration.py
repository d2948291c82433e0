"""Calibration: the expected calibration error, the distance of confidence from accuracy.

It is the mean over all pixels of |accuracy - mean confidence| in the bin of the pixel's
confidence (Naeini, Cooper, Hauskrecht 2015, in the form of Guo, Pleiss, Sun, Weinberger: On
calibration of modern neural networks, ICML 2017, equation 5).
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Number of confidence bins of equal width; 15 in the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCounts:
    """Sums for the expected calibration error; they can be added.

    Attributes:
        gaps: (BINS,) sum of correct - confidence over the pixels of each bin.
        pixels: number of pixels.
    """

    gaps: NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS))
    pixels: int = 0

    @classmethod
    def of(
        cls, confidence: NDArray[np.floating], correct: NDArray[np.bool_]
    ) -> "CalibrationCounts":
        """Count pixels.

        Args:
            confidence: (pixels,) in [0, 1].
            correct: (pixels,) True where the label equals the reference.
        """
        confidence = np.nan_to_num(confidence)  # NaN after a diverged training
        bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
        gaps: NDArray[np.float64] = np.zeros(BINS)
        gaps += np.bincount(bins, weights=correct - confidence, minlength=BINS)
        return cls(gaps, confidence.size)

    def __add__(self, other: "CalibrationCounts") -> "CalibrationCounts":
        return CalibrationCounts(self.gaps + other.gaps, self.pixels + other.pixels)

    @property
    def error(self) -> float:
        """The expected calibration error; NaN without a pixel."""
        return float(np.abs(self.gaps).sum() / self.pixels) if self.pixels else math.nan
