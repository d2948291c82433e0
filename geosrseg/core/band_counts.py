"""Histograms of bands, for quantiles of more pixels than fit into memory."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BINS = 2**16


class BandCounts:
    """A histogram of each band between two values.

    Args:
        low: lowest value of each band; values below count as this value.
        high: highest value of each band; values above count as this value.
    """

    def __init__(self, low: Sequence[float], high: Sequence[float]) -> None:
        self._low = np.asarray(low, np.float64)[:, None]
        self._width = (np.asarray(high, np.float64)[:, None] - self._low) / BINS
        self._counts = np.zeros((len(low), BINS), np.int64)
        self._sums = np.zeros(len(low))

    @property
    def pixels(self) -> int:
        return int(self._counts[0].sum())

    def add(self, values: NDArray[np.floating]) -> None:
        """Count values of shape (bands, pixels)."""
        places = np.clip((values - self._low) / self._width, 0, BINS - 1).astype(np.int64)
        for counts, band in zip(self._counts, places, strict=True):
            counts += np.bincount(band, minlength=BINS)
        self._sums += values.sum(axis=1, dtype=np.float64)

    def means(self) -> tuple[float, ...]:
        return tuple((self._sums / max(self.pixels, 1)).tolist())

    def quantiles(self, levels: Sequence[float]) -> tuple[tuple[float, ...], ...]:
        """For each band, the value below which each share of the pixels lies."""
        wanted = np.asarray(levels) * self.pixels
        return tuple(
            tuple((low + width * (self._places(counts, wanted) + 0.5)).tolist())
            for low, width, counts in zip(
                self._low[:, 0], self._width[:, 0], self._counts, strict=True
            )
        )

    @staticmethod
    def _places(counts: NDArray[np.int64], wanted: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.minimum(np.searchsorted(np.cumsum(counts), wanted), BINS - 1)
