"""Pads windows beyond the scene's edge, up to the model's multiple."""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window


def pad_to_window(inputs: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
    """Repeat the last row and column until the array is as large as its window.

    The padding depends on the scene alone and not on the window, so a tiled map can equal
    an untiled one.

    Args:
        inputs: (bands, rows, cols), the part of the window inside the scene.
        window: the whole window.

    Returns:
        (bands, height, width) of the window.
    """
    below, right = window.height - inputs.shape[1], window.width - inputs.shape[2]
    if not (below or right):
        return inputs
    return np.pad(inputs, ((0, 0), (0, below), (0, right)), mode="edge")
