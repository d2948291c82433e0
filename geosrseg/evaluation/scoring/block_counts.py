"""BlockCounts: what was counted, kept apart by the block of ground it was counted on.

A block is a square of pixels. Neighbouring pixels are right or wrong together, so how sure a
figure is can only be asked of blocks: they are what a bootstrap draws.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BlockCounts:
    """Counts by block and cell, only those that are not zero; `add_up` merges parts.

    Attributes:
        cells: cells of one block, for example classes² of a confusion matrix.
        block: (n,) int64 number of the block.
        cell: (n,) int64, 0 to cells - 1.
        count: (n,) int64, above 0; no pair of block and cell comes twice.
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
        """Count pixels, or objects, of which each has a block and a cell; (n,) both."""
        return cls._merged(cells, block.astype(np.int64) * cells + cell, None)

    @classmethod
    def add_up(cls, parts: Iterable["BlockCounts"], *, cells: int) -> "BlockCounts":
        """The sum of counts on the same blocks."""
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
        """(cells,) counts over all blocks.

        Args:
            draws: (blocks,) how many times each block counts; once by default.
        """
        weights = self.count if draws is None else self.count * draws[self.block]
        return np.bincount(self.cell, weights, minlength=self.cells).astype(np.int64)
