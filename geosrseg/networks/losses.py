"""The joint loss, equation 1 of the paper, and its third term."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.core.legend import NODATA


def reconstruction_loss(sr: Tensor, hr: Tensor, trained: Tensor) -> Tensor:
    """L1, the mean absolute difference over all bands and the pixels that are trained.

    Args:
        sr: (N, bands, H, W) super-resolved image.
        hr: (N, bands, H, W) native image.
        trained: (N, H, W) bool, False where the native image is not to be learned from:
            validation and test areas, padding, pixels that are not valid; zero is returned
            if it is nowhere.
    """
    difference = (sr.float() - hr.float()).abs() * trained[:, None]
    return difference.sum() / (trained.sum() * hr.shape[1]).clamp(min=1)


def segmentation_loss(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """CE, the cross-entropy's mean over the pixels whose reference is a class.

    Args:
        logits: (N, classes, H, W).
        target: (N, H, W) int64 class indices, NODATA where ignored; zero is returned if
            all are.
        weight: (N, H, W) of each pixel in the mean; alike unless given.
    """
    counted = target != NODATA
    if weight is None:
        total = F.cross_entropy(logits.float(), target, ignore_index=NODATA, reduction="sum")
        return total / counted.sum().clamp(min=1)
    losses = F.cross_entropy(logits.float(), target, ignore_index=NODATA, reduction="none")
    weight = weight * counted
    return (losses * weight).sum() / weight.sum().clamp(min=1)


def average_logits(logits: Tensor, *, factor: int) -> Tensor:
    """Logits of the coarse pixels: the logarithm of the mean of the probabilities.

    Args:
        logits: (N, classes, factor * H, factor * W).
        factor: pixels averaged along each axis.

    Returns:
        (N, classes, H, W); their softmax is the mean itself.
    """
    mean = F.avg_pool2d(logits.float().softmax(1), factor)
    return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


class CoarseReference(NamedTuple):
    """Labels on the LR grid.

    Attributes:
        target: (N, H, W) int64 class indices of LR pixels, NODATA where there are none.
        weight: (N, H, W) how far they are trusted.
    """

    target: Tensor
    weight: Tensor


class JointLoss(nn.Module):
    """ξ = α·L1(HR, SR) + β·CE(reference, logits) + γ·CE(coarse reference, mean probabilities).

    The first two terms are the paper's; the third is for images whose labels lie on the LR
    grid, and zero without them. See `reconstruction_loss`, `segmentation_loss` and
    `average_logits` for the parts.

    Args:
        alpha: α, weight of the reconstruction.
        beta: β, weight of the segmentation.
        gamma: γ, weight of the segmentation on the LR grid.
    """

    def __init__(self, *, alpha: float, beta: float, gamma: float = 0.0) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma

    def forward(
        self,
        sr: Tensor,
        logits: Tensor,
        *,
        hr: Tensor,
        target: Tensor,
        trained: Tensor,
        weight: Tensor | None = None,
        coarse: CoarseReference | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its parts.

        Args:
            sr: (N, bands, H, W) super-resolved image.
            logits: (N, classes, H, W).
            hr: (N, bands, H, W) native image.
            target: (N, H, W) int64 class indices, NODATA where ignored.
            trained: (N, H, W) bool, where the native image is learned from.
            weight: (N, H, W) of each pixel's reference.
            coarse: labels on the LR grid.

        Returns:
            ξ, and ``l1``, ``ce`` and, with coarse labels, ``coarse_ce``, each a scalar.
        """
        parts = {
            "l1": reconstruction_loss(sr, hr, trained),
            "ce": segmentation_loss(logits, target, weight),
        }
        loss = self.alpha * parts["l1"] + self.beta * parts["ce"]
        if coarse is not None:
            averaged = average_logits(logits, factor=logits.shape[-1] // coarse.target.shape[-1])
            parts["coarse_ce"] = segmentation_loss(averaged, coarse.target, coarse.weight)
            loss = loss + self.gamma * parts["coarse_ce"]
        return loss, parts
