"""The degradation: how an LR image is made from a native HR one.

Antialiased bicubic reduction, as in section 4.2 of the paper, on normalized reflectance.
Torch's antialiased kernel is PIL's; without antialiasing a texture would come out up to 22
grey levels wrong.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 2
"""LR pixels around an LR pixel on whose ground it depends."""

SMALL = 512
"""HR pixels up to which a product with the kernel's matrix is quicker than torch's kernel: for
a chip of 256 pixels, at 8x, a fifth of the time."""


def degrade(hr: Tensor, *, factor: int) -> Tensor:
    """(bands, factor * H, factor * W) -> (bands, H, W), in [0, 1] where the input is.

    The kernel overshoots at edges in the image; a sensor cannot, and neither can
    normalized reflectance, so the result is clipped.
    """
    if factor == 1:
        return hr
    height, width = hr.shape[1:]
    if max(height, width) <= SMALL:
        lr = _reduction(height, factor) @ hr @ _reduction(width, factor).T
    else:
        lr = F.interpolate(hr[None], scale_factor=1 / factor, mode="bicubic", antialias=True)[0]
    return lr.clamp(0, 1)


@lru_cache(maxsize=16)
def _reduction(length: int, factor: int) -> Tensor:
    """(length / factor, length) what each LR pixel takes of each HR pixel along one axis."""
    each = torch.eye(length)[None, None]
    size = (length // factor, length)
    return F.interpolate(each, size=size, mode="bicubic", antialias=True)[0, 0]
