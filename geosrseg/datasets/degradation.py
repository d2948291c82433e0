"""The degradation: how an LR image is made from a native HR one.

Antialiased bicubic reduction, as in section 4.2 of the paper, on normalized reflectance.
Torch's antialiased kernel is PIL's; without antialiasing a texture would come out up to 22
grey levels wrong.
"""

import torch.nn.functional as F
from torch import Tensor

REACH = 2
"""LR pixels around an LR pixel on whose ground it depends."""


def degrade(hr: Tensor, *, factor: int) -> Tensor:
    """(bands, factor * H, factor * W) -> (bands, H, W), in [0, 1] where the input is.

    The kernel overshoots at edges in the image; a sensor cannot, and neither can
    normalized reflectance, so the result is clipped.
    """
    if factor == 1:
        return hr
    lr = F.interpolate(hr[None], scale_factor=1 / factor, mode="bicubic", antialias=True)
    return lr[0].clamp(0, 1)
