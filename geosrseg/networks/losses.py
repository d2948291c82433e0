"""The joint loss, equation 1 of the paper."""

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


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """CE, the cross-entropy's mean over the pixels whose reference is a class.

    Args:
        logits: (N, classes, H, W).
        target: (N, H, W) int64 class indices, NODATA where ignored; zero is returned if
            all are.
    """
    counted = (target != NODATA).sum().clamp(min=1)
    return F.cross_entropy(logits.float(), target, ignore_index=NODATA, reduction="sum") / counted


class JointLoss(nn.Module):
    """ξ = α·L1(HR, SR) + β·CE(reference, logits).

    See `reconstruction_loss` and `segmentation_loss` for its parts.

    Args:
        alpha: α, weight of the reconstruction.
        beta: β, weight of the segmentation.
    """

    def __init__(self, *, alpha: float, beta: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta

    def forward(
        self, sr: Tensor, logits: Tensor, *, hr: Tensor, target: Tensor, trained: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss and its two parts.

        Args:
            sr: (N, bands, H, W) super-resolved image.
            logits: (N, classes, H, W).
            hr: (N, bands, H, W) native image.
            target: (N, H, W) int64 class indices, NODATA where ignored.
            trained: (N, H, W) bool, where the native image is learned from.

        Returns:
            ξ, L1 and CE, each a scalar.
        """
        l1, ce = reconstruction_loss(sr, hr, trained), segmentation_loss(logits, target)
        return self.alpha * l1 + self.beta * ce, l1, ce
