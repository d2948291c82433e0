"""D-DBPN: super-resolution by iterative up- and down-projection.

Haris, Shakhnarovich, Ukita: Deep Back-Projection Networks for Super-Resolution, CVPR
2018 (Figure 3 shows the units, Figure 5 the dense network). Section 3.1 of the paper uses it as
published. Attribute names are those of the published checkpoints, see `reference_weights`.
"""

import torch
from torch import Tensor, nn

from geosrseg.networks.cpu_layers import (
    Deconvolution,
    OneSlopePReLU,
    PointwiseConvolution,
    ThinConvolution,
)
from geosrseg.networks.part import Part, initialize
from geosrseg.networks.reach import Reach

# upscale factor -> (kernel, stride, padding) of the projection units
KERNELS = {2: (6, 2, 2), 3: (7, 3, 2), 4: (8, 4, 2), 8: (12, 8, 2)}


class ConvBlock(nn.Module):
    """Convolution, then a PReLU with one parameter, except at the end of the network."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: tuple[int, int, int], activation: bool = True
    ) -> None:
        super().__init__()
        size, stride, padding = kernel
        kind = nn.Conv2d
        if size == 1:
            kind = PointwiseConvolution
        elif size == 3 and inputs > 9 * outputs:
            kind = ThinConvolution
        self.conv = kind(inputs, outputs, size, stride, padding)
        self.act = OneSlopePReLU() if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x))


class DeconvBlock(nn.Module):
    """Transposed convolution, then a PReLU with one parameter."""

    def __init__(self, inputs: int, outputs: int, *, kernel: tuple[int, int, int]) -> None:
        super().__init__()
        size, stride, padding = kernel
        self.deconv = Deconvolution(inputs, outputs, size, stride, padding)
        self.act = OneSlopePReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.deconv(x))


def _merge(base: int, dense: int) -> nn.Module:
    """Reduce the concatenated features of `dense` blocks to `base` channels."""
    return ConvBlock(base * dense, base, kernel=(1, 1, 0)) if dense > 1 else nn.Identity()


class Projection(nn.Module):
    """A projection to the other grid, corrected by the error of projecting back."""

    def forward(self, x: Tensor) -> Tensor:
        merge, project, back, correct = self.children()
        x = merge(x)
        projected: Tensor = project(x)
        return projected + correct(back(projected) - x)


class UpBlock(Projection):
    """Up-projection: LR features -> HR features.

    `dense` is the number of blocks whose concatenated features are the input.
    """

    def __init__(self, base: int, *, kernel: tuple[int, int, int], dense: int = 1) -> None:
        super().__init__()
        self.conv = _merge(base, dense)
        self.up_conv1 = DeconvBlock(base, base, kernel=kernel)
        self.up_conv2 = ConvBlock(base, base, kernel=kernel)
        self.up_conv3 = DeconvBlock(base, base, kernel=kernel)


class DownBlock(Projection):
    """Down-projection: HR features -> LR features."""

    def __init__(self, base: int, *, kernel: tuple[int, int, int], dense: int = 1) -> None:
        super().__init__()
        self.conv = _merge(base, dense)
        self.down_conv1 = ConvBlock(base, base, kernel=kernel)
        self.down_conv2 = DeconvBlock(base, base, kernel=kernel)
        self.down_conv3 = ConvBlock(base, base, kernel=kernel)


class DBPN(Part):
    """The dense network: `stages` up-projections, with down-projections between them.

    Args:
        bands: input and output bands.
        upscale_factor: 2, 3, 4 or 8.
        base: channels of the projection units.
        feat: channels of the first convolution.
        stages: number of up-projections, at least 2.
    """

    def __init__(
        self, bands: int, *, upscale_factor: int, base: int = 64, feat: int = 256, stages: int = 7
    ) -> None:
        super().__init__()
        if upscale_factor not in KERNELS:
            raise ValueError(f"D-DBPN upscales by 2, 3, 4 or 8, got {upscale_factor}")
        if stages < 2:
            raise ValueError(f"D-DBPN has at least 2 stages, got {stages}")
        if min(base, feat) < 1:
            raise ValueError(f"D-DBPN has channels, got base {base} and feat {feat}")
        kernel = KERNELS[upscale_factor]
        self.kernel = kernel
        self.stages = stages
        self.feat0 = ConvBlock(bands, feat, kernel=(3, 1, 1))
        self.feat1 = ConvBlock(feat, base, kernel=(1, 1, 0))
        for stage in range(1, stages + 1):
            # Up-block k reads the k - 1 LR features so far, down-block k the k HR features.
            self.add_module(f"up{stage}", UpBlock(base, kernel=kernel, dense=max(stage - 1, 1)))
            if stage < stages:
                self.add_module(f"down{stage}", DownBlock(base, kernel=kernel, dense=stage))
        self.output_conv = ConvBlock(stages * base, bands, kernel=(3, 1, 1), activation=False)
        self.apply(initialize)

    def forward(self, lr: Tensor) -> Tensor:
        """(N, bands, H, W) -> (N, bands, s·H, s·W)."""
        x = self.feat1(self.feat0(lr))
        highs = self.get_submodule("up1")(x)
        lows = self.get_submodule("down1")(highs)
        for stage in range(2, self.stages + 1):
            highs = torch.cat((self.get_submodule(f"up{stage}")(lows), highs), 1)
            if stage < self.stages:
                low = self.get_submodule(f"down{stage}")(highs)
                # the newest features come first, as in the published network
                lows = torch.cat((low, lows), 1)
        return self.output_conv(highs)

    def before(self, outputs: Reach) -> Reach:
        """Follow the path through all projections, the longest one."""
        kernel = self.kernel
        reach = outputs.before_conv(3, 1, 1)  # the output convolution
        for stage in reversed(range(self.stages)):
            reach = reach.before_deconv(*kernel).before_conv(*kernel).before_deconv(*kernel)
            if stage:
                reach = reach.before_conv(*kernel).before_deconv(*kernel).before_conv(*kernel)
        return reach.before_conv(3, 1, 1)  # feat0

    @property
    def last_conv(self) -> nn.Conv2d:
        return self.output_conv.conv
