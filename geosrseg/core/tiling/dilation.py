"""Marks all pixels near a marked pixel."""

import numpy as np
from numpy.typing import NDArray


def dilate(marked: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Mark all pixels within `radius` rows and columns of a marked pixel."""
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(marked, width), axis=axis, dtype=np.int32)
        length = marked.shape[axis]
        reach = 2 * radius + 1
        upper = np.take(sums, range(reach, reach + length), axis=axis)
        marked = upper > np.take(sums, range(length), axis=axis)
    return marked
