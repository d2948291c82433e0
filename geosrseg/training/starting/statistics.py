"""Statistics of batch normalizations, which a model file has folded into the convolutions.

With a mean of 0 and a deviation of 1 a network computes the same as its model file. But it
cannot be trained like that, as a training step normalizes by the statistics of the batch. So
the statistics are measured on training chips, and scale and bias are changed such that the
network still computes the same.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from geosrseg.networks.joint import JointNetwork

CHIPS = 16
"""Number of chips to measure; each has tens of thousands of values per channel."""


def measure_statistics(network: JointNetwork, images: Iterable[Tensor]) -> None:
    """Set the statistics of batch normalizations to those of (bands, H, W) images.

    The network's results in evaluation mode stay the same.
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
    """Set statistics, and change scale and bias to compensate."""
    assert norm.running_mean is not None  # noqa: S101 - our networks track statistics
    assert norm.running_var is not None  # noqa: S101
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    norm.weight.copy_(scale * (variance + norm.eps).sqrt())
    norm.bias.copy_(shift + scale * mean)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
