"""The moving average of the weights, which is what is validated and kept."""

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


def moving_average(decay: float) -> WeightAveraging:
    """A callback that keeps an exponential moving average of weights and buffers.

    The decay rises to its value, as (1 + n) / (10 + n) after n steps: otherwise the random
    weights of the beginning would still be in the average when a short run ends.

    Args:
        decay: of a step, below 1.
    """

    def average(averaged: Tensor, current: Tensor, steps: Tensor) -> Tensor:
        if not averaged.is_floating_point():
            return current  # a counter
        kept = ((1 + steps) / (10 + steps)).clamp(max=decay)
        return torch.lerp(averaged, current, 1 - kept)

    return WeightAveraging(avg_fn=average)
