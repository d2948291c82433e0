"""Bicubic upsampling as a fixed convolution, the same on every runtime.

Keys: Cubic convolution interpolation for digital image processing, 1981, with a = -0.5,
the kernel of PIL and of torch's antialiased resize. The edge pixel is repeated beyond the image.
A grouped 5x5 convolution to s² phases and a pixel shuffle replace the Resize operator, whose
coefficients and borders differ between runtimes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach

RADIUS = 2  # LR pixels on each side that a target pixel depends on


def cubic_phases(factor: int) -> Tensor:
    """Compute the weights of the source pixels -2..2 for each target pixel of source pixel 0.

    Returns:
        (factor, 5) float64; every row sums to 1.
    """
    centres = (torch.arange(factor, dtype=torch.float64) + 0.5) / factor - 0.5
    taps = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    x = (taps[None, :] - centres[:, None]).abs()
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


class BicubicUpsample(Part):
    """(N, bands, H, W) -> (N, bands, s·H, s·W), band by band; the identity for a factor of 1."""

    planes: Tensor

    def __init__(self, bands: int, *, upscale_factor: int) -> None:
        super().__init__()
        self.bands = bands
        self.upscale_factor = upscale_factor
        phases = cubic_phases(upscale_factor)
        kernel = torch.einsum("ik,jl->ijkl", phases, phases).flatten(0, 1).float()
        # Three axes, as channels_last would give four axes strides that DDP cannot send.
        self.register_buffer("planes", kernel.repeat(bands, 1, 1), persistent=False)

    @property
    def kernel(self) -> Tensor:
        """(bands·s², 1, 5, 5) weights of the convolution."""
        return self.planes[:, None]

    def forward(self, lr: Tensor) -> Tensor:
        if self.upscale_factor == 1:
            return lr
        edged = F.pad(lr, (RADIUS,) * 4, mode="replicate")
        phases = F.conv2d(edged, self.kernel.to(edged.dtype), groups=self.bands)
        return F.pixel_shuffle(phases, self.upscale_factor)

    def before(self, outputs: Reach) -> Reach:
        if self.upscale_factor == 1:
            return outputs
        reach = outputs.before_growth(self.upscale_factor)
        return reach.before_conv(2 * RADIUS + 1, 1, RADIUS)
