"""Compact: one network for SR image and logits, with almost all arithmetic on the LR grid.

The paper's pair of networks segments on the target grid, s² times finer than the information.
Here a U-Net of five levels processes the LR image. A sub-pixel convolution (Shi et al., CVPR
2016) brings its features to the target grid, where a 3x3 convolution refines them. Two 1x1
convolutions turn them into the logits and the difference of the SR image from the bicubic one.

Initially the sub-pixel convolution gives all target pixels of an LR pixel the same value (ICNR:
Aitken et al., 2017), and every class border passes a 3x3 convolution on the target grid, so
there is no checkerboard pattern to unlearn.

Protocol ``end-to-end`` uses all of it. ``lr`` returns the bicubic image as SR image, at the same
cost. ``hr`` folds `fold` by `fold` native pixels into one pixel of the trunk.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from geosrseg.core.normalize import Normalization
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.part import check_width
from geosrseg.networks.reach import Reach
from geosrseg.networks.segmentation.unet import UNetTrunk, conv_bn_relu
from geosrseg.networks.spectral import SpectralFeatures
from geosrseg.networks.super_resolution.bicubic import BicubicUpsample

CHANNELS = (32, 64, 96, 128, 192)
"""Channels of the trunk's levels."""

DETAIL = 16
"""Channels on the target grid."""


class SubPixel(nn.Module):
    """(N, inputs, H, W) -> (N, outputs, s·H, s·W): a 1x1 convolution, then a pixel shuffle."""

    def __init__(self, inputs: int, outputs: int, *, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv2d(inputs, outputs * factor**2, 1)
        first = nn.init.kaiming_normal_(self.conv.weight[:: factor**2].detach().clone())
        with torch.no_grad():
            self.conv.weight.copy_(first.repeat_interleave(factor**2, 0))
            nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(self.conv(x).relu(), self.factor)

    def before(self, outputs: Reach) -> Reach:
        return outputs.before_growth(self.factor)


class Compact(JointNetwork):
    """A U-Net on the LR grid, a sub-pixel convolution, and a head for each image.

    Args:
        upscale_factor: s; 1 for native images.
        trains_sr: learn an SR image; otherwise the first output is the bicubic image.
        width: factor on the channels.
        dropout: share of channels dropped in training in the two deepest levels.
        fold: native pixels along each side of a trunk pixel if s is 1.
        spectral: add logarithms and normalized differences to the input, see `SpectralFeatures`.
    """

    def __init__(
        self,
        bands: int,
        classes: int,
        *,
        upscale_factor: int,
        trains_sr: bool,
        width: float = 1.0,
        dropout: float = 0.0,
        fold: int = 2,
        spectral: bool = True,
    ) -> None:
        super().__init__()
        check_width(width, dropout)
        if fold < 1:
            raise ValueError(f"expected a fold of 1 or more, got {fold}")
        self.bands, self.upscale_factor = bands, upscale_factor
        self.fold = fold if upscale_factor == 1 else 1
        channels = [max(1, round(size * width)) for size in CHANNELS]
        detail = max(1, round(DETAIL * width))
        self.features = SpectralFeatures(bands, widened=spectral)
        self.trunk = UNetTrunk(
            self.features.outputs * self.fold**2, channels, dropout=dropout, light=True
        )
        self.grow = SubPixel(channels[0], detail, factor=upscale_factor * self.fold)
        self.refine = conv_bn_relu(detail, detail)
        self.classifier = nn.Conv2d(detail, classes, 1)
        self.bicubic = BicubicUpsample(bands, upscale_factor=upscale_factor)
        self.image: nn.Conv2d | None = None
        if trains_sr:
            self.image = nn.Conv2d(detail, bands, 1)
            # zero difference: training starts at the bicubic image
            nn.init.zeros_(self.image.weight)
            nn.init.zeros_(self.image.bias)  # type: ignore[arg-type]

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """(N, bands, H, W); H and W are multiples of `multiple`."""
        x = fold_pixels(self.features(lr), self.fold)
        x = self.refine(self.grow(self.trunk(x)))
        sr = self.bicubic(lr)
        if self.image is not None:
            sr = sr + self.image(x)
        return sr, self.classifier(x)

    @property
    def multiple(self) -> int:
        return self.trunk.multiple * self.fold

    def calibrate(self, normalization: Normalization) -> None:
        self.features.calibrate(normalization)

    def input_names(self, bands: Sequence[str]) -> list[str]:
        features = self.features.names(bands)
        return [
            f"{name} {place}" if place else name
            for place in range(self.fold**2)
            for name in features
        ]

    def parts(self) -> Mapping[str, nn.Module | None]:
        """Return the parts; segmentation is everything except the head of the SR image."""
        seg = nn.ModuleList([self.trunk, self.grow, self.refine, self.classifier])
        return {"sr": self.image, "seg": seg, "encoder": self.trunk.encoder}

    def before(self, outputs: Reach) -> Reach:
        reach = outputs.before_conv(3, 1, 1)  # refine
        reach = self.trunk.before(self.grow.before(reach))
        reach = reach.before_conv(self.fold, self.fold, 0)
        return reach.joined(self.bicubic.before(outputs))

    @property
    def last_conv(self) -> nn.Conv2d:
        return self.classifier

    @property
    def sr_parameters(self) -> list[nn.Parameter]:
        """The head of the SR image; everything else serves both outputs."""
        return [] if self.image is None else list(self.image.parameters())


def fold_pixels(x: Tensor, size: int) -> Tensor:
    """(N, C, size·H, size·W) -> (N, size²·C, H, W) in the channel order of ONNX's SpaceToDepth."""
    if size == 1:
        return x
    folded = nn.functional.pixel_unshuffle(x, size)  # its channels are (C, size²)
    images, _, height, width = folded.shape
    by_place = folded.view(images, x.shape[1], size**2, height, width).transpose(1, 2)
    return by_place.flatten(1, 2)
