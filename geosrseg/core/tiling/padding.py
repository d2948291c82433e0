"""Pads windows beyond the scene's edge, up to the model's multiple."""

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window

Number = TypeVar("Number", bound=np.generic)


def pad_to_window(
    inputs: NDArray[Number], window: Window, *, mode: Literal["edge", "constant"] = "edge"
) -> NDArray[Number]:
    """Pad an array to the size of its window.

    The padding depends on the scene alone and not on the window, so a tiled map can equal
    an untiled one.

    Args:
        inputs: (..., rows, cols), the part of the window inside the scene.
        window: the whole window.
        mode: ``edge`` repeats the last row and column, ``constant`` pads with zeros.

    Returns:
        (..., height, width) of the window.
    """
    below, right = window.height - inputs.shape[-2], window.width - inputs.shape[-1]
    if not (below or right):
        return inputs
    widths = [(0, 0)] * (inputs.ndim - 2) + [(0, below), (0, right)]
    return np.pad(inputs, widths, mode=mode)
