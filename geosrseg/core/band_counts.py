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
        ranks = np.asarray(levels) * self.pixels
        places = [np.searchsorted(np.cumsum(counts), ranks) for counts in self._counts]
        values = self._low + self._width * (np.minimum(places, BINS - 1) + 0.5)
        return tuple(map(tuple, values.tolist()))
