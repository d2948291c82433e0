"""PixelAreas: the ground area of each pixel of a grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PixelAreas:
    """The area of every pixel of a grid, known at nodes and bilinear between them.

    Attributes:
        node_rows: (n,) rows of the nodes, ascending; beyond them the area is constant.
        node_cols: (m,) columns of the nodes, in the same way.
        nodes: (n, m) square metres of one pixel.
        width: columns of the grid.
    """

    node_rows: NDArray[np.float64]
    node_cols: NDArray[np.float64]
    nodes: NDArray[np.float64]
    width: int

    def __post_init__(self) -> None:
        if self.nodes.shape != (len(self.node_rows), len(self.node_cols)):
            raise ValueError(
                f"one area for each of {len(self.node_rows)} x {len(self.node_cols)} nodes, "
                f"got {self.nodes.shape}"
            )
        if not (np.isfinite(self.nodes).all() and (self.nodes > 0).all()):
            raise ValueError("a pixel's area is a positive number")

    @classmethod
    def uniform(cls, square_metres: float, *, width: int) -> "PixelAreas":
        """Pixels of equal area."""
        origin = np.zeros(1)
        return cls(origin, origin, np.full((1, 1), square_metres), width)

    def row(self, row: int) -> NDArray[np.float64]:
        """(width,) square metres of the pixels in a row."""
        last = len(self.node_rows) - 1
        place = np.interp(row, self.node_rows, np.arange(last + 1))
        above = min(int(place), max(last - 1, 0))
        below, share = min(above + 1, last), place - above
        between = self.nodes[above] + share * (self.nodes[below] - self.nodes[above])
        return np.interp(np.arange(self.width), self.node_cols, between)
