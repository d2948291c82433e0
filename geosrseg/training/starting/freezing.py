"""Freezing: keeps the weights of some parts of a network while the rest is trained."""

from collections.abc import Sequence

from torch import nn

from geosrseg.errors import RunError
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.recipe import Recipe


def frozen_modules(network: JointNetwork, names: Sequence[str]) -> list[nn.Module]:
    """Look up parts by name.

    Raises:
        RunError: the network has no such part.
    """
    parts = network.parts()
    for name in names:
        if parts.get(name) is None:
            there = ", ".join(part for part, module in parts.items() if module is not None)
            raise RunError(
                f"`freeze` {name}: this network has no such part, expected {there or 'none'}"
            )
    return [module for name in names if (module := parts[name]) is not None]


def freeze(
    network: JointNetwork, names: Sequence[str], *, config: NetworkConfig, recipe: Recipe
) -> None:
    """Exclude the weights of parts from training.

    To keep the statistics of their batch normalizations too, call `keep_still` whenever the
    network has been set to training mode.

    Raises:
        RunError: the network has no such part, or no trainable weights remain.
    """
    for module in frozen_modules(network, names):
        module.requires_grad_(requires_grad=False)
    if "sr" in names and recipe.sr_steps(config):
        raise RunError(
            "`freeze` sr: this recipe trains the SR part alone first: use `sr_warm_up=0` and a "
            "protocol other than two-stage"
        )
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise RunError(f"`freeze` {','.join(names)}: no part is left to train")


def keep_still(network: JointNetwork, names: Sequence[str]) -> None:
    """Set the frozen parts to evaluation mode."""
    for module in frozen_modules(network, names):
        module.eval()
