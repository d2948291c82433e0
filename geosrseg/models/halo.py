"""Halo: how far from a window's border the network's answer can still depend on it.

The bound is structural: the longest chain of layers is followed backwards from the target
pixels at a border, as an interval of pixels along one axis.
"""

import math
from dataclasses import dataclass

from geosrseg.core.windows import round_up
from geosrseg.models.bicubic import RADIUS
from geosrseg.models.dbpn import KERNELS
from geosrseg.models.framework import NetworkConfig
from geosrseg.models.segnet import BLOCKS, DOWNSCALE


@dataclass(frozen=True, slots=True)
class Reach:
    """The pixels `first` to `last` along one axis."""

    first: int
    last: int

    def before_conv(self, kernel: int, stride: int, padding: int) -> "Reach":
        """The input pixels on which these outputs of a convolution depend."""
        return Reach(self.first * stride - padding, self.last * stride - padding + kernel - 1)

    def before_deconv(self, kernel: int, stride: int, padding: int) -> "Reach":
        """The input pixels on which these outputs of a transposed convolution depend."""
        return Reach(
            -(-(self.first + padding - kernel + 1) // stride), (self.last + padding) // stride
        )

    def before_pool(self) -> "Reach":
        """The input pixels on which these outputs of 2x2 pooling depend."""
        return Reach(2 * self.first, 2 * self.last + 1)

    def before_unpool(self) -> "Reach":
        """The input pixels on which these outputs of 2x2 unpooling depend."""
        return Reach(self.first // 2, self.last // 2)


def window_multiple(upscale_factor: int) -> int:
    """LR pixels on whose multiples windows begin and end, so that pooling cells agree."""
    return DOWNSCALE // math.gcd(DOWNSCALE, upscale_factor)


def exact_halo(config: NetworkConfig) -> int:
    """LR pixels, a multiple of `window_multiple`, beyond which a border changes nothing."""
    # The first target pixel behind a border at 0, and the last one before it.
    behind = _before_sr(_before_segnet(Reach(0, 0)), config)
    before = _before_sr(_before_segnet(Reach(-1, -1)), config)
    return round_up(max(-behind.first, before.last + 1), window_multiple(config.upscale_factor))


def _before_segnet(reach: Reach) -> Reach:
    reach = reach.before_conv(3, 1, 1)  # the classifier
    for level, (_, convolutions) in enumerate(BLOCKS):
        for _ in range(1 if level == 0 else convolutions):
            reach = reach.before_conv(3, 1, 1)
        reach = reach.before_unpool()
    for _, convolutions in reversed(BLOCKS):
        reach = reach.before_pool()
        for _ in range(convolutions):
            reach = reach.before_conv(3, 1, 1)
    return reach


def _before_sr(reach: Reach, config: NetworkConfig) -> Reach:
    if config.protocol == "hr":
        return reach
    factor = config.upscale_factor
    bicubic = Reach(reach.first // factor - RADIUS, reach.last // factor + RADIUS)
    if config.protocol == "lr":
        return bicubic
    kernel = KERNELS[factor]
    reach = reach.before_conv(3, 1, 1)  # the output convolution
    for stage in reversed(range(config.sr_stages)):
        reach = reach.before_deconv(*kernel).before_conv(*kernel).before_deconv(*kernel)
        if stage:
            reach = reach.before_conv(*kernel).before_deconv(*kernel).before_conv(*kernel)
    reach = reach.before_conv(3, 1, 1)  # feat0
    return Reach(min(reach.first, bicubic.first), max(reach.last, bicubic.last))
