"""U-Net: a segmentation network whose decoder also receives the encoder's features.

Ronneberger, Fischer, Brox: U-Net, MICCAI 2015, Figure 1: two 3x3 convolutions per level, five
levels of 64 to 1024 channels, 2x2 pooling, 2x2 transposed convolutions in the decoder. The
published convolutions shrink the image; ours are padded, so that every input pixel gets logits
and nothing has to be cropped.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.networks.part import Part, check_width, initialize
from geosrseg.networks.reach import Reach

CHANNELS = (64, 128, 256, 512, 1024)


def conv_bn_relu(inputs: int, outputs: int) -> nn.Sequential:
    """A padded 3x3 convolution, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _double_conv(inputs: int, outputs: int, *, normalized: bool) -> nn.Sequential:
    if normalized:
        return nn.Sequential(*conv_bn_relu(inputs, outputs), *conv_bn_relu(outputs, outputs))
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class UNetTrunk(Part):
    """Encoder and decoder: (N, inputs, H, W) -> (N, channels[0], H, W) features.

    Args:
        inputs: number of input channels.
        channels: number of channels per level.
        dropout: share of channels dropped in training after the two deepest encoder levels.
        light: add a batch normalization to every 3x3 convolution, and add the encoder's features
            to the decoder's, which takes two thirds of the arithmetic of concatenating them.
    """

    def __init__(
        self,
        inputs: int,
        channels: Sequence[int],
        *,
        dropout: float = 0.0,
        light: bool = False,
    ) -> None:
        super().__init__()
        self.multiple = 2 ** (len(channels) - 1)
        steps = pairwise([inputs, *channels])
        self.light = light
        blocks = [_double_conv(a, b, normalized=light) for a, b in steps]
        if dropout:
            for block in blocks[-2:]:
                block.append(nn.Dropout2d(dropout))
        self.encoder = nn.ModuleList(blocks)
        upward = list(pairwise(reversed(channels)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in upward)
        self.decoder = nn.ModuleList(
            _double_conv(b if light else 2 * b, b, normalized=light) for _, b in upward
        )
        self.apply(initialize)

    def forward(self, x: Tensor) -> Tensor:
        """H and W are multiples of `multiple`."""
        skipped: list[Tensor] = []
        *shallow, deepest = self.encoder.children()
        for block in shallow:
            skipped.append(block(x))
            x = F.max_pool2d(skipped[-1], 2)
        x = deepest(x)
        for up, block, skip in zip(self.up, self.decoder, reversed(skipped), strict=True):
            x = block(skip + up(x) if self.light else torch.cat((skip, up(x)), 1))
        return x

    def before(self, outputs: Reach) -> Reach:
        """Follow the path through the deepest level, the longest one."""
        reach = outputs
        for _ in self.up:
            reach = _before_double_conv(reach).before_growth(2)
        for _ in self.up:
            reach = _before_double_conv(reach).before_pool()
        return _before_double_conv(reach)


class UNet(UNetTrunk):
    """Encoder, decoder and a 1x1 convolution.

    Args:
        width: factor on the channels of every level.
        dropout: share of channels dropped in training at the end of the encoder, as in the
            paper, which does not state the share.
    """

    def __init__(
        self, bands: int, classes: int, *, width: float = 1.0, dropout: float = 0.0
    ) -> None:
        check_width(width, dropout)
        channels = [max(1, round(size * width)) for size in CHANNELS]
        super().__init__(bands, channels, dropout=dropout)
        self.classifier = nn.Conv2d(channels[0], classes, 1)
        initialize(self.classifier)

    def forward(self, x: Tensor) -> Tensor:
        """(N, bands, H, W) -> (N, classes, H, W) logits; H and W are multiples of 16."""
        return self.classifier(super().forward(x))

    @property
    def last_conv(self) -> nn.Conv2d:
        return self.classifier


def _before_double_conv(reach: Reach) -> Reach:
    return reach.before_conv(3, 1, 1).before_conv(3, 1, 1)
