"""Batch check: whether a network can normalize every batch of an epoch.

Batch normalization of single values (after global pooling, for example) needs at least two
chips. PyTorch would only fail at the first batch of one chip: the last of an epoch.
"""

import copy

import torch

from geosrseg.errors import RunError
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.recipe import Recipe


def check_batches(network: JointNetwork, recipe: Recipe) -> None:
    """Refuse a recipe with a batch too small for the network.

    Raises:
        RunError: a batch has a single chip, and the network needs two.
    """
    chips = -(-recipe.chips_per_epoch // recipe.devices)
    last = chips % recipe.batch_size or recipe.batch_size
    if last > 1 or _trains_on_one(network, recipe.chip_size):
        return
    if recipe.batch_size == 1:
        raise RunError(
            "--batch-size 1: the network normalizes single values of a chip over the batch: use "
            "2 or more"
        )
    raise RunError(
        f"--chips-per-epoch {recipe.chips_per_epoch} in batches of {recipe.batch_size} leaves a "
        "last batch of 1, and the network normalizes single values of a chip over the batch: use "
        f"--chips-per-epoch {recipe.chips_per_epoch + recipe.devices} or another --batch-size"
    )


def _trains_on_one(network: JointNetwork, size: int) -> bool:
    """Try one chip without any arithmetic: tensors on the device ``meta`` have no values."""
    trial = copy.deepcopy(network).to("meta").train()
    lr = size // network.upscale_factor
    try:
        trial(torch.empty(1, network.bands, lr, lr, device="meta"))
    except ValueError as error:
        return "more than 1 value per channel" not in str(error)
    except (NotImplementedError, RuntimeError):
        return True  # a layer does not support that device: leave the check to the first step
    return True
