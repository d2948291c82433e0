"""The degradation: makes an LR image from a native HR one.

It is the antialiased bicubic reduction of section 4.2 of the paper, on normalized reflectance.
Torch's antialiased kernel is that of PIL; without antialiasing, textures would be wrong by up
to 22 grey levels.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 2
"""Radius in LR pixels of the ground that an LR pixel depends on."""

SMALL = 512
"""Side in HR pixels up to which a product with the kernel's matrix is faster than torch's kernel:
a chip of 256 pixels, at 8x, takes a fifth of the time."""


def degrade(hr: Tensor, *, factor: int) -> Tensor:
    """Reduce (bands, factor * H, factor * W) in [0, 1] to (bands, H, W) in [0, 1].

    The result is clipped: the kernel overshoots at edges in the image, but a sensor does not.
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
    """Return (length / factor, length) weights of the HR pixels in each LR pixel along one axis."""
    each = torch.eye(length)[None, None]
    size = (length // factor, length)
    return F.interpolate(each, size=size, mode="bicubic", antialias=True)[0, 0]
