"""JointNetwork: what a network that gives an SR image and a class map has to provide.

The paper's is two parts in a row (`framework`). One of your own may share as much between the
two as it likes: only `forward` is needed, each of the rest makes something better or possible.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from geosrseg.core.normalize import Normalization
from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach


class JointNetwork(nn.Module):
    """LR image in, SR image and logits out.

    `forward` maps (N, bands, H, W) to the SR image (N, bands, s·H, s·W), in normalized
    reflectance and not clipped, and the logits (N, classes, s·H, s·W).

    Its ONNX form is the function registered for its class in `networks.onnx.joint`, or without
    one what PyTorch's exporter makes of it (`networks.onnx.tracing`).

    Attributes:
        bands: input bands; set by the registry that built it.
        upscale_factor: s, of the network.
    """

    bands: int
    upscale_factor: int

    @property
    def multiple(self) -> int:
        """LR pixels on whose multiples windows begin and end: the product of all strides."""
        return 1

    def super_resolve(self, lr: Tensor) -> Tensor:
        """The SR image alone."""
        sr: Tensor = self(lr)[0]
        return sr

    def segment(self, hr: Tensor) -> Tensor:
        """The logits of an image of the target grid, for training in two stages.

        Raises:
            TypeError: there is no part that could be trained alone.
        """
        raise TypeError(f"{type(self).__name__} has no segmentation part of its own")

    def calibrate(self, normalization: Normalization) -> None:
        """Take in what reflectance the input stands for, before training begins."""

    def input_names(self, bands: Sequence[str]) -> list[str]:
        """A name for each input of the first layer, where these are more than the bands."""
        return list(bands)

    def parts(self) -> Mapping[str, nn.Module | None]:
        """By name, what can keep its weights while the rest is trained: sr, seg, encoder."""
        return {}

    def before(self, outputs: Reach) -> Reach | None:
        """The LR pixels on which target pixels can depend; see `Part.before`."""
        return None

    @property
    def chain(self) -> Sequence[tuple["JointNetwork | Part", int]]:
        """From the logits back to the LR image: each part with its growth."""
        return [(self, self.upscale_factor)]

    @property
    def last_conv(self) -> nn.Conv2d:
        """The convolution whose outputs are the logits: class offsets are added to its bias.

        Raises:
            TypeError: the part has none.
        """
        raise TypeError(f"{type(self).__name__} does not say which of its layers is the last")

    @property
    def sr_parameters(self) -> list[nn.Parameter]:
        """What learns at the SR part's rate; all else at the segmentation's."""
        return []

    @property
    def seg_parameters(self) -> list[nn.Parameter]:
        """What learns at the segmentation's rate."""
        of_sr = {id(parameter) for parameter in self.sr_parameters}
        return [parameter for parameter in self.parameters() if id(parameter) not in of_sr]

    def shift_logits(self, offsets: Tensor) -> None:
        """Add one number per class to the logits, for good.

        Raises:
            TypeError: the convolution that gives the logits has no bias to add them to.
        """
        bias: Any = self.last_conv.bias
        if bias is None:
            raise TypeError("the convolution that gives the logits has no bias")
        with torch.no_grad():
            bias += offsets
