"""SegNet: a segmentation network whose decoder upsamples with the encoder's pooling indices.

Badrinarayanan, Kendall, Cipolla: SegNet, TPAMI 2017: the 13 convolutions of VGG16 with
batch normalization, and a mirrored decoder. Section 3.2 of the paper.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.networks.part import Part, check_width, initialize
from geosrseg.networks.reach import Reach

# channels and convolutions of VGG16's five blocks
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def _conv_bn_relu(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class SegNet(Part):
    """Encoder, decoder and a classifying convolution.

    Args:
        width: factor on the channels of every block; 1 is VGG16.
        dropout: share of channels dropped in training after the two deepest blocks of encoder
            and decoder, as in Bayesian SegNet (Kendall, Badrinarayanan, Cipolla, 2017).
            SegNet itself has none.
        logits_block: append batch norm and ReLU to the last convolution, as the paper's
            reference code does; logits are then never negative.
    """

    multiple = 2 ** len(BLOCKS)

    def __init__(
        self,
        bands: int,
        classes: int,
        *,
        width: float = 1.0,
        dropout: float = 0.0,
        logits_block: bool = False,
    ) -> None:
        super().__init__()
        check_width(width, dropout)
        channels = [max(1, round(size * width)) for size, _ in BLOCKS]
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()
        inputs = bands
        for size, (_, count) in zip(channels, BLOCKS, strict=True):
            steps = pairwise([inputs, *[size] * count])
            self.encoder.append(nn.Sequential(*(_conv_bn_relu(a, b) for a, b in steps)))
            inputs = size
        for level in reversed(range(1, len(BLOCKS))):
            outputs = [channels[level]] * (BLOCKS[level][1] - 1) + [channels[level - 1]]
            steps = pairwise([channels[level], *outputs])
            self.decoder.append(nn.Sequential(*(_conv_bn_relu(a, b) for a, b in steps)))
        self.decoder.append(_conv_bn_relu(channels[0], channels[0]))
        classifier = nn.Conv2d(channels[0], classes, 3, padding=1)
        self.classifier: nn.Module = classifier
        self.apply(initialize)
        if dropout:
            for block in (*self.encoder[-2:], *self.decoder[:2]):
                block.append(nn.Dropout2d(dropout))
        if logits_block:
            self.classifier = nn.Sequential(classifier, nn.BatchNorm2d(classes), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(N, bands, H, W) -> (N, classes, H, W) logits; H and W are multiples of 32."""
        all_indices = []
        for block in self.encoder:
            x, indices = F.max_pool2d(block(x), 2, return_indices=True)
            all_indices.append(indices)
        for block, indices in zip(self.decoder, reversed(all_indices), strict=True):
            x = block(F.max_unpool2d(x, indices, (2, 2)))
        return self.classifier(x)

    def before(self, outputs: Reach) -> Reach:
        reach = outputs.before_conv(3, 1, 1)  # the classifier
        for level, (_, convolutions) in enumerate(BLOCKS):
            for _ in range(1 if level == 0 else convolutions):
                reach = reach.before_conv(3, 1, 1)
            reach = reach.before_growth(2)  # the unpooling
        for _, convolutions in reversed(BLOCKS):
            reach = reach.before_pool()
            for _ in range(convolutions):
                reach = reach.before_conv(3, 1, 1)
        return reach

    @property
    def last_conv(self) -> nn.Conv2d:
        """The classifier; not with a logits block, whose ReLU would undo an offset."""
        if not isinstance(self.classifier, nn.Conv2d):
            raise TypeError("the logits of a logits block cannot be shifted")
        return self.classifier
