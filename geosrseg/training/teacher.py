"""Teacher: a network trained on native images that helps to train one on LR images.

It contributes two losses. Its soft labels say more about a pixel than the reference does, and
cover unlabelled pixels too (Sirko et al., 2023). And an SR image is good where the frozen
teacher classifies it like the native image, even if its pixels differ (Kim et al., CVPR 2024:
task-driven super-resolution).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.core.legend import Legend
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import RunError
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.training.run_folder.run import Run

TAUGHT = ("lr", "end-to-end")
"""Protocols that can learn from a teacher."""


def soft_label_loss(logits: Tensor, taught: Tensor, trained: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the teacher's probabilities, mean over pixels.

    Args:
        logits: (N, classes, H, W).
        taught: (N, classes, H, W) the teacher's logits.
        trained: (N, H, W) bool, the pixels that count; the loss is zero if there are none.
    """
    of_pixels = F.kl_div(
        logits.float().log_softmax(1),
        taught.float().log_softmax(1),
        reduction="none",
        log_target=True,
    ).sum(1)
    return (of_pixels * trained).sum() / trained.sum().clamp(min=1)


@dataclass(frozen=True, eq=False)
class Teacher:
    """A frozen network for native images.

    Attributes:
        sha256: hash of the weights, in hexadecimal.
    """

    network: nn.Module
    sha256: str

    def to(self, device: torch.device) -> None:
        self.network.to(device).to(memory_format=torch.channels_last)

    def teach(self, hr: Tensor) -> Tensor:
        """(N, bands, H, W) native image -> (N, classes, H, W) logits, not differentiated."""
        with torch.no_grad():
            return self.read(hr)

    def read(self, image: Tensor) -> Tensor:
        """(N, bands, H, W) -> (N, classes, H, W) logits, differentiable in the image."""
        logits: Tensor = self.network(image)[1]
        return logits


def open_teacher(run: Path, *, bands: tuple[str, ...], legend: Legend, chip_size: int) -> Teacher:
    """Load the network of a finished run on native images.

    Args:
        bands: band names of the student.
        legend: classes of the student.
        chip_size: HR pixels along each side of a chip.

    Raises:
        RunError: the run is unfinished, was not trained on native images, or has other bands or
            classes than the student.
    """
    trained = Run(run)
    config = trained.config()
    if config.network.protocol != "hr":
        raise RunError(
            f"--teacher {run} was trained with protocol {config.network.protocol}: expected hr, "
            "which uses native images"
        )
    if config.bands != bands or config.legend.ids != legend.ids:
        raise RunError(
            f"--teacher {run} has bands {', '.join(config.bands)} and classes "
            f"{', '.join(config.legend.names)}, expected {', '.join(bands)} and "
            f"{', '.join(legend.names)}: train it on this dataset"
        )
    network = trained.network()
    if chip_size % network.multiple:
        raise RunError(
            f"--crop {chip_size}: expected a multiple of the teacher's {network.multiple} HR pixels"
        )
    network.requires_grad_(requires_grad=False)
    return Teacher(network, trained.weights_sha256())


def choose_teacher(
    run: Path | None, card: DatasetCard, *, network: NetworkConfig, recipe: Recipe
) -> Teacher | None:
    """Open the teacher, if there is one.

    Args:
        run: the teacher's run folder; None without a teacher.
        network: configuration of the student.

    Raises:
        RunError: the student's protocol or the recipe does not fit; the teacher reads other
            ranges of reflectance or was trained on another fold; or see `open_teacher`.
    """
    if run is None:
        if recipe.task_weight:
            raise RunError(f"--task-weight {recipe.task_weight:g}: needs a --teacher")
        return None
    if network.protocol not in TAUGHT:
        raise RunError(
            f"--teacher {run}: protocol {network.protocol} cannot use a teacher, expected "
            "lr or end-to-end"
        )
    teacher = open_teacher(run, bands=card.bands, legend=card.legend, chip_size=recipe.chip_size)
    config = Run(run).config()
    own, wanted = config.normalization, (tuple(card.low), tuple(card.high))
    if (tuple(own.low), tuple(own.high)) != wanted:
        raise RunError(
            f"--teacher {run} reads reflectance from {_listed(own.low)} to {_listed(own.high)}, "
            f"but the bands here go from {_listed(card.low)} to {_listed(card.high)}: train it on "
            "this card"
        )
    if config.fold != tuple(card.fold):
        raise RunError(
            f"--teacher {run} was trained on {_fold(config.fold)}, this run on {_fold(card.fold)}: "
            "it has learned pixels that validate here"
        )
    return teacher


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _fold(fold: Sequence[int]) -> str:
    return "fold {} of {}".format(*fold) if fold else "no fold"
