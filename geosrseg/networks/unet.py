"""U-Net: segmentation whose decoder sees the encoder's features beside its own.

Ronneberger, Fischer, Brox: U-Net, MICCAI 2015, Figure 1: two 3x3 convolutions a level, five
levels of 64 to 1024 channels, 2x2 pooling, 2x2 transposed convolutions on the way up. The
published convolutions shrink the image; ours are padded, so that every input pixel gets its
logits and nothing has to be cropped.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.networks.part import Part, check_width
from geosrseg.networks.reach import Reach

CHANNELS = (64, 128, 256, 512, 1024)


def _double_conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class UNet(Part):
    """Encoder, decoder and a 1x1 convolution.

    Args:
        bands: input bands.
        classes: output classes.
        width: factor on the channels of every level.
        dropout: share of the channels left out while training, at the end of the encoder,
            where the paper puts it without saying how much.
    """

    multiple = 2 ** (len(CHANNELS) - 1)

    def __init__(
        self, bands: int, classes: int, *, width: float = 1.0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_width(width, dropout)
        channels = [max(1, round(size * width)) for size in CHANNELS]
        blocks = [_double_conv(a, b) for a, b in pairwise([bands, *channels])]
        if dropout:
            for block in blocks[-2:]:
                block.append(nn.Dropout2d(dropout))
        self.encoder = nn.ModuleList(blocks)
        steps = list(pairwise(reversed(channels)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in steps)
        self.decoder = nn.ModuleList(_double_conv(2 * b, b) for _, b in steps)
        self.classifier = nn.Conv2d(channels[0], classes, 1)
        self.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        """(N, bands, H, W) -> (N, classes, H, W) logits; H and W are multiples of 16."""
        skipped: list[Tensor] = []
        *shallow, deepest = self.encoder.children()
        for block in shallow:
            skipped.append(block(x))
            x = F.max_pool2d(skipped[-1], 2)
        x = deepest(x)
        for up, block, skip in zip(self.up, self.decoder, reversed(skipped), strict=True):
            x = block(torch.cat((skip, up(x)), 1))
        return self.classifier(x)

    def before(self, outputs: Reach) -> Reach:
        """The way through the deepest level, the longest of all."""
        reach = outputs
        for _ in self.up:
            reach = _before_double_conv(reach).before_growth(2)
        for _ in self.up:
            reach = _before_double_conv(reach).before_pool()
        return _before_double_conv(reach)

    @property
    def last_conv(self) -> nn.Conv2d:
        return self.classifier


def _before_double_conv(reach: Reach) -> Reach:
    return reach.before_conv(3, 1, 1).before_conv(3, 1, 1)


def _initialize(module: nn.Module) -> None:
    """Normal with the deviation √(2/N), section 3 of the paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
