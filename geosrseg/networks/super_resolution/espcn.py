"""ESPCN: super-resolution with all layers on the LR grid, except the final pixel shuffle.

Shi et al.: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
Convolutional Neural Network, CVPR 2016, section 3: 64 filters of 5x5 and 32 of 3x3, each with
tanh, then a 3x3 convolution to s² values per band, which are shuffled to pixels. The original
has one luminance band; here every convolution sees all bands. Guo et al. 2019 pair it with U-Net.
"""

import torch
from torch import Tensor, nn

from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach


class ESPCN(Part):
    """(N, bands, H, W) -> (N, bands, s·H, s·W)."""

    def __init__(self, bands: int, *, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor
        self.conv1 = nn.Conv2d(bands, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, bands * upscale_factor**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(upscale_factor)

    def forward(self, lr: Tensor) -> Tensor:
        x = torch.tanh(self.conv2(torch.tanh(self.conv1(lr))))
        return self.shuffle(self.conv3(x))

    def before(self, outputs: Reach) -> Reach:
        reach = outputs.before_growth(self.upscale_factor)
        return reach.before_conv(3, 1, 1).before_conv(3, 1, 1).before_conv(5, 1, 2)

    @property
    def last_conv(self) -> nn.Conv2d:
        return self.conv3
