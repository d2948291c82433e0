"""The moving average of the weights, which is validated and kept instead of them."""

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


def moving_average(decay: float) -> WeightAveraging:
    """Make a callback that keeps an exponential moving average of weights and buffers.

    The decay per step starts at (1 + n) / (10 + n) after n steps and rises to `decay`, which is
    below 1. Otherwise the random initial weights would still count when a short run ends.
    """

    def average(averaged: list[Tensor], current: list[Tensor], steps: Tensor) -> None:
        if not averaged[0].is_floating_point():  # counters
            torch._foreach_copy_(averaged, current)
            return
        # All tensors at once: one by one they would launch as many kernels as the network.
        new = 1 - ((1 + steps) / (10 + steps)).clamp(max=decay)
        changes = torch._foreach_sub(current, averaged)
        torch._foreach_mul_(changes, new)
        torch._foreach_add_(averaged, changes)

    return WeightAveraging(multi_avg_fn=average)
