"""Calibration: a confidence of 80 % that is right four times in five.

Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks, ICML 2017.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Of equal width, over which the expected calibration error is taken; 15 in the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCounts:
    """What the expected calibration error is made of; counts add.

    Attributes:
        gaps: (BINS,) sum of correct - confidence over the pixels of a bin of confidence.
        pixels: number of pixels.
    """

    gaps: NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS))
    pixels: int = 0

    @classmethod
    def of(
        cls, confidence: NDArray[np.floating], correct: NDArray[np.bool_]
    ) -> "CalibrationCounts":
        """Count pixels, see `calibration_error`."""
        confidence = np.nan_to_num(confidence)  # a network whose loss is no number has none
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


def calibration_error(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """The expected calibration error: how far confidence is from accuracy.

    The mean over all pixels of |accuracy - mean confidence| in the bin of the pixel's
    confidence (Naeini, Cooper, Hauskrecht 2015, in the form of Guo et al. 2017, equation 5).

    Args:
        confidence: (pixels,) in [0, 1].
        correct: (pixels,) True where the label is the reference.
    """
    return CalibrationCounts.of(confidence, correct).error
