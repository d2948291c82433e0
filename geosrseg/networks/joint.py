"""JointNetwork: the interface of a network that returns an SR image and logits.

The paper's network is two parts in sequence (`framework`). Your own network may share any layers
between the two outputs. Only `forward` is required; the other members are optional.
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

    The function registered for its class in `networks.onnx.joint` writes it as ONNX; without one,
    PyTorch's exporter does (`networks.onnx.tracing`).

    Attributes:
        bands: input bands; set by `networks.networks.build`.
        upscale_factor: s; set by `networks.networks.build`.
    """

    bands: int
    upscale_factor: int

    @property
    def multiple(self) -> int:
        """Alignment of windows in LR pixels, for pooling cells to agree: the product of strides."""
        return 1

    def super_resolve(self, lr: Tensor) -> Tensor:
        """Compute the SR image alone."""
        sr: Tensor = self(lr)[0]
        return sr

    def segment(self, hr: Tensor) -> Tensor:
        """Compute the logits of an image on the target grid, for two-stage training.

        Raises:
            TypeError: the network has no separate segmentation part.
        """
        raise TypeError(f"{type(self).__name__} has no segmentation part of its own")

    def calibrate(self, normalization: Normalization) -> None:
        """Receive the reflectance ranges of the input, before training starts."""

    def input_names(self, bands: Sequence[str]) -> list[str]:
        """Name the inputs of the first layer, which may be more than the bands."""
        return list(bands)

    def parts(self) -> Mapping[str, nn.Module | None]:
        """Return the parts that can be frozen, by name: sr, seg, encoder."""
        return {}

    def before(self, outputs: Reach) -> Reach | None:
        """Return the LR pixels on which target pixels can depend; see `Part.before`."""
        return None

    @property
    def chain(self) -> Sequence[tuple["JointNetwork | Part", int]]:
        """The parts from the logits back to the LR image, each with its upscale factor."""
        return [(self, self.upscale_factor)]

    @property
    def last_conv(self) -> nn.Conv2d:
        """The convolution whose outputs are the logits; class offsets are added to its bias.

        Raises:
            TypeError: the network does not define it.
        """
        raise TypeError(f"{type(self).__name__} does not say which of its layers is the last")

    @property
    def sr_parameters(self) -> list[nn.Parameter]:
        """Parameters trained at the SR part's rate."""
        return []

    @property
    def seg_parameters(self) -> list[nn.Parameter]:
        """Parameters trained at the segmentation's rate: all others."""
        of_sr = {id(parameter) for parameter in self.sr_parameters}
        return [parameter for parameter in self.parameters() if id(parameter) not in of_sr]

    def shift_logits(self, offsets: Tensor) -> None:
        """Add one offset per class to the bias of the last convolution.

        Raises:
            TypeError: the last convolution is not defined or has no bias.
        """
        bias: Any = self.last_conv.bias
        if bias is None:
            raise TypeError("the convolution that gives the logits has no bias")
        with torch.no_grad():
            bias += offsets
