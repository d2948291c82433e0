"""Pixel sample: logits and reference of random pixels, to fit class offsets and temperature.

A label on the LR grid is compared with the mean probabilities of the target pixels in its
pixel, so the sample keeps the logits of all of them.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA

FITTED_PIXELS = 500_000
"""Maximum number of target pixels in a sample."""


class PixelSample:
    """A random sample of all pixels added.

    Every pixel draws a random number, and the pixels with the smallest numbers are kept.

    Args:
        classes: number of classes.
        label_pixels: target pixels along each side of a label's pixel.
    """

    def __init__(self, classes: int, label_pixels: int) -> None:
        self._side = label_pixels
        self._generator = np.random.default_rng(0)
        self._numbers = np.empty(0)
        self._logits = np.empty((classes, label_pixels**2, 0), np.float32)
        self.reference = np.empty(0, np.uint8)

    def add(self, logits: NDArray[np.float32], target: NDArray[np.uint8]) -> None:
        """Add the pixels that have a class.

        Args:
            logits: (classes, side * rows, side * cols).
            target: (rows, cols) class indices; NODATA where ignored.
        """
        side, counted = self._side, target.ravel() != NODATA
        rows, cols = target.shape
        parts = logits.reshape(len(logits), rows, side, cols, side).transpose(0, 2, 4, 1, 3)
        more = parts.reshape(len(logits), side**2, -1)[:, :, counted]
        numbers = np.concatenate([self._numbers, self._generator.random(more.shape[-1])])
        kept = np.argsort(numbers)[: FITTED_PIXELS // side**2]
        self._numbers = numbers[kept]
        self._logits = np.concatenate([self._logits, more], axis=-1)[..., kept]
        self.reference = np.concatenate([self.reference, target.ravel()[counted]])[kept]

    def shift(self, offsets: NDArray[np.float32]) -> None:
        """Add one number per class to the logits."""
        self._logits += offsets[:, None, None]

    def scores(self) -> NDArray[np.float32]:
        """(classes, pixels) logits, or log-probabilities on the LR grid."""
        return self._logits[:, 0] if self._side == 1 else self._log_probabilities(1.0)

    def loss(self, temperature: float) -> float:
        """Compute the mean negative log-likelihood of the reference."""
        own = np.take_along_axis(
            self._log_probabilities(temperature), self.reference[None].astype(np.intp), axis=0
        )
        return -float(own.mean(dtype=np.float64))

    def _log_probabilities(self, temperature: float) -> NDArray[np.float32]:
        """(classes, pixels) logarithm of the mean of the probabilities."""
        scaled = (torch.from_numpy(self._logits) / temperature).log_softmax(0)
        mean: NDArray[np.float32] = (scaled.logsumexp(1) - np.log(self._side**2)).numpy()
        return mean
