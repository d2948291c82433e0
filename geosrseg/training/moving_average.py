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

    def average(averaged: list[Tensor], current: list[Tensor], steps: Tensor) -> None:
        if not averaged[0].is_floating_point():  # counters
            torch._foreach_copy_(averaged, current)
            return
        # All tensors at once: one by one they cost a GPU as many launches as the network.
        new = 1 - ((1 + steps) / (10 + steps)).clamp(max=decay)
        changes = torch._foreach_sub(current, averaged)
        torch._foreach_mul_(changes, new)
        torch._foreach_add_(averaged, changes)

    return WeightAveraging(multi_avg_fn=average)
