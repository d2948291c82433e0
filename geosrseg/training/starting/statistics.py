"""Statistics of batch normalizations that a model file has folded away.

With a mean of 0 and a deviation of 1 a network computes what its model file does, but it cannot
be trained like that: a training step normalizes by the batch, whose statistics are others. So
they are measured, on training chips, and the scale and bias are changed so that the network
still computes the same.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from geosrseg.networks.joint import JointNetwork

CHIPS = 16
"""That are measured on: each has tens of thousands of values for every channel."""


def measure_statistics(network: JointNetwork, images: Iterable[Tensor]) -> None:
    """Give batch normalizations the statistics of what they are shown.

    Args:
        network: what it computes when it is evaluated stays the same.
        images: (bands, H, W) each.
    """
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def add(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].double()
        batch = [values.mean((0, 2, 3)), values.square().mean((0, 2, 3)), torch.ones(())]
        before = sums.setdefault(norm, [torch.zeros(()).double()] * 3)  # type: ignore[arg-type]
        sums[norm] = [a + b for a, b in zip(before, batch, strict=True)]  # type: ignore[index]

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    handles = [norm.register_forward_pre_hook(add) for norm in norms]
    was_training = network.training
    with torch.inference_mode():
        network.eval()
        for image in images:
            network(image[None])
    network.train(was_training)
    for handle in handles:
        handle.remove()
    with torch.no_grad():
        for norm, (total, squares, count) in sums.items():
            mean = total / count
            _set(norm, mean, (squares / count - mean.square()).clamp(min=0))


def _set(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Change statistics, and scale and bias so that both changes cancel out."""
    assert norm.running_mean is not None  # noqa: S101 - it is built with them
    assert norm.running_var is not None  # noqa: S101
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    norm.weight.copy_(scale * (variance + norm.eps).sqrt())
    norm.bias.copy_(shift + scale * mean)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
