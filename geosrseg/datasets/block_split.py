"""BlockSplit: blocks of a training image held out for validation.

Neighbouring pixels are alike, so pixels or chips held out at random would test nothing.
Blocks with a guard around them do. The published splits of the datasets have no validation
part, and choosing the best epoch on the test part would be cheating.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window

ONE_IN = 5
"""One block in this many is held out."""

GUARD = 16
"""Pixels between training and validation blocks."""

GUARD_SHARE = 8
"""The guard is at most a block's side divided by this."""


def guard_of(block: int, *, side: int) -> int:
    """Return the guard that suits blocks of at most `block` pixels in an image with this side."""
    return min(GUARD, min(block, side // ONE_IN) // GUARD_SHARE)


@dataclass(frozen=True, slots=True)
class BlockSplit:
    """Training blocks, of which one in five validates: every fifth along rows and columns.

    Attributes:
        size: pixels along each side of a block.
    """

    size: int

    def fitted(self, height: int, width: int) -> "BlockSplit":
        """Return a split with blocks small enough that an image of this size holds one out."""
        return BlockSplit(min(self.size, -(-max(height, width) // ONE_IN)))

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Return (rows, cols) values as in a split raster: 1 train, 2 validation."""
        rows, cols = np.ogrid[window.rows, window.cols]
        # A knight's move (one block down, two right) leads to the next held-out block; so do
        # five blocks along a row or column.
        held_out = (rows // self.size * 3 + cols // self.size + 3) % ONE_IN == 0
        return np.where(held_out, np.uint8(2), np.uint8(1))
