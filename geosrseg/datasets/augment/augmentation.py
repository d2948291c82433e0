"""Augmentation: changes under which a chip keeps its classes."""

import numpy as np
import torch
from torch import Tensor


def turn(chip: Tensor, *, pose: int) -> Tensor:
    """Apply one of the eight flips and rotations to the last two axes, which have equal lengths.

    Args:
        chip: (..., size, size).
        pose: 0 to 7; 0 changes nothing, 4 to 7 mirror first.
    """
    mirrored = chip.flip(-1) if pose >= 4 else chip
    return torch.rot90(mirrored, pose % 4, (-2, -1))


def jitter(*chips: Tensor, strength: float, generator: np.random.Generator) -> tuple[Tensor, ...]:
    """Change the illumination: a gain for all bands, and a small gain and offset per band.

    Haze, slope and sun differ between scenes; the classes stay the same.

    Args:
        chips: chips of the same ground, each (bands, rows, cols) in [0, 1], changed alike.
        strength: standard deviation of a band's gain; that of the common gain is twice, and
            that of the offset a quarter as large.
    """
    bands = (chips[0].shape[0], 1, 1)
    gain = 1 + strength * (2 * generator.normal() + generator.normal(size=bands))
    offset = strength / 4 * generator.normal(size=bands)
    factor, summand = torch.from_numpy(gain).float(), torch.from_numpy(offset).float()
    return tuple((chip * factor + summand).clamp(0, 1) for chip in chips)


def cut_out(lr: Tensor, *, share: float, generator: np.random.Generator) -> Tensor:
    """Hide up to two squares of the network's input, so that it learns from context.

    Args:
        lr: (bands, rows, cols).
        share: probability of each of the two squares.

    Returns:
        A copy in which the squares hold the chip's mean.
    """
    lr, size = lr.clone(), lr.shape[-1]
    mean = lr.mean((1, 2), keepdim=True)
    for _ in range(2):
        if generator.random() < share:
            side = int(generator.integers(size // 12, size // 3))
            row, col = generator.integers(size - side, size=2)
            lr[:, row : row + side, col : col + side] = mean
    return lr
