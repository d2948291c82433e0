"""The joint loss, equation 1 of the paper."""

import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.core.legend import NODATA


class JointLoss(nn.Module):
    """ξ = α·L1(HR, SR) + β·CE(reference, logits).

    L1 is the mean absolute difference over all bands and pixels, CE the mean over the
    pixels whose reference is a class. A batch without any such pixel has CE = 0.

    Args:
        alpha: α, weight of the reconstruction.
        beta: β, weight of the segmentation.
    """

    def __init__(self, *, alpha: float, beta: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta

    def forward(
        self, sr: Tensor, logits: Tensor, *, hr: Tensor, target: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss and its two parts.

        Args:
            sr: (N, bands, H, W) super-resolved image.
            logits: (N, classes, H, W).
            hr: (N, bands, H, W) native image.
            target: (N, H, W) int64 class indices, NODATA where ignored.

        Returns:
            ξ, L1 and CE, each a scalar.
        """
        l1 = F.l1_loss(sr.float(), hr.float())
        counted = (target != NODATA).sum().clamp(min=1)
        ce = F.cross_entropy(logits.float(), target, ignore_index=NODATA, reduction="sum") / counted
        return self.alpha * l1 + self.beta * ce, l1, ce
