"""Distance: how far the nearest marked pixel is."""

import numpy as np
from numpy.typing import NDArray


def distance(marked: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return (rows, cols) steps to the nearest marked pixel; outside the array all are marked.

    A step goes along a row, a column or a diagonal. Two passes over the rows, down and up, find
    all distances (Rosenfeld and Pfaltz 1968), so the cost does not depend on their lengths.
    """
    rows, cols = (np.arange(1, length + 1, dtype=np.int32) for length in marked.shape)
    steps = np.minimum.outer(np.minimum(rows, rows[::-1]), np.minimum(cols, cols[::-1]))
    if not marked.any():
        return steps
    steps[marked] = 0
    for upright in (steps, steps[::-1]):
        above = upright[0]
        for row in upright:
            np.minimum(row, above + 1, out=row)
            np.minimum(row[1:], above[:-1] + 1, out=row[1:])
            np.minimum(row[:-1], above[1:] + 1, out=row[:-1])
            for along in (row, row[::-1]):
                along[:] = np.minimum.accumulate(along - cols) + cols
            above = row
    return steps
