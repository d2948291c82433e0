"""Counts by block of ground, for the bootstrap.

A block is a square of pixels. Errors of neighbouring pixels correlate, so the bootstrap must draw
blocks, not pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BlockCounts:
    """Sparse counts by block and cell; each pair of block and cell occurs once.

    Attributes:
        cells: number of cells in a block, for example classes² for a confusion matrix.
        block: (n,) int64 block numbers.
        cell: (n,) int64, 0 to cells - 1.
        count: (n,) int64, above 0.
    """

    cells: int
    block: NDArray[np.int64]
    cell: NDArray[np.int64]
    count: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not self.block.shape == self.cell.shape == self.count.shape == (self.block.size,):
            raise ValueError(f"three arrays of one length, got {self.block.shape} and others")
        if self.cell.size and not 0 <= self.cell.min() <= self.cell.max() < self.cells:
            raise ValueError(f"cells are 0 to {self.cells - 1}, got up to {self.cell.max()}")

    @classmethod
    def of(
        cls, block: NDArray[np.integer], cell: NDArray[np.integer], *, cells: int
    ) -> "BlockCounts":
        """Count pixels or objects from the (n,) block and (n,) cell of each."""
        return cls._merged(cells, block.astype(np.int64) * cells + cell, None)

    @classmethod
    def add_up(cls, parts: Iterable["BlockCounts"], *, cells: int) -> "BlockCounts":
        """Return the sum of counts on the same blocks."""
        parts = [part for part in parts if part.block.size]
        if not parts:
            return cls(cells, *np.zeros((3, 0), np.int64))
        codes = np.concatenate([part.block * cells + part.cell for part in parts])
        return cls._merged(cells, codes, np.concatenate([part.count for part in parts]))

    @classmethod
    def _merged(
        cls, cells: int, codes: NDArray[np.int64], weights: NDArray[np.int64] | None
    ) -> "BlockCounts":
        if not codes.size:
            return cls.add_up((), cells=cells)
        first = int(codes.min())
        # Sums of counts below 2^53, so float64 is exact.
        sums = np.bincount(codes - first, weights).astype(np.int64)
        used = np.flatnonzero(sums)
        return cls(cells, *np.divmod(used + first, cells), sums[used])

    def sums(self, draws: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return (cells,) counts over all blocks.

        Args:
            draws: (blocks,) how often each block counts; once by default.
        """
        weights = self.count if draws is None else self.count * draws[self.block]
        return np.bincount(self.cell, weights, minlength=self.cells).astype(np.int64)
