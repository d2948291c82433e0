"""BlockSplit: a part of a training image held out for validation, by blocks.

Neighbouring pixels are alike, so single pixels or chips held out at random would be no
test; blocks with a guard around them are one. The published splits of the datasets have no
validation part, and choosing the best epoch on the test part would be cheating.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window

ONE_IN = 5
"""Of so many blocks one is held out."""


@dataclass(frozen=True, slots=True)
class BlockSplit:
    """Training blocks, of which one in five validates: every fifth along rows and columns.

    Attributes:
        size: pixels along each side of a block.
    """

    size: int

    def fitted(self, height: int, width: int) -> "BlockSplit":
        """With blocks small enough that one of an image's is held out."""
        return BlockSplit(min(self.size, -(-max(height, width) // ONE_IN)))

    def read(self, window: Window) -> NDArray[np.uint8]:
        """(rows, cols) values as in a split raster: 1 train, 2 validation."""
        rows, cols = np.ogrid[window.rows, window.cols]
        # One block down and two right, a knight's move, gives the next one held out; so does
        # going five along a row or column.
        held_out = (rows // self.size * 3 + cols // self.size + 3) % ONE_IN == 0
        return np.where(held_out, np.uint8(2), np.uint8(1))
