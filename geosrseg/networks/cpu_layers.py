"""CPU layers: PyTorch's layers with a faster training step on the CPU, for channels-last images.

Each has the parameters and names of its base class, and the same results except for rounding.
It only computes differently if gradients are required on a CPU. Each docstring states the gain
for one core and the sizes of D-DBPN at 4x.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _trains_on_cpu(x: Tensor) -> bool:
    return x.device.type == "cpu" and torch.is_grad_enabled()


class _Deconvolve(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv_transpose2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        grad = grads[0].contiguous(memory_format=torch.channels_last)
        of_x, of_weight, of_bias = ctx.needs_input_grad[:3]
        return (
            F.conv2d(grad, weight, None, ctx.stride, ctx.padding) if of_x else None,
            _weight_gradient(ctx, x, grad, weight) if of_weight else None,
            grad.sum((0, 2, 3)) if of_bias else None,
            None,
            None,
        )


def _weight_gradient(ctx: Any, x: Tensor, grad: Tensor, weight: Tensor) -> Tensor:
    """Compute the weight gradient of the convolution that maps `grad` to `x`."""
    stride, padding = [ctx.stride] * 2, [ctx.padding] * 2
    gradients = torch.ops.aten.convolution_backward(
        x, grad, weight, None, stride, padding, [1, 1], False, [0, 0], 1, [False, True, False]
    )
    return gradients[1]


class Deconvolution(nn.ConvTranspose2d):
    """A transposed convolution with equal stride and padding along both axes.

    As it is the gradient of a convolution, its own gradients are that convolution, and the
    convolution's weight gradient with input and output exchanged. Backward takes 0.6 of the
    time, 0.4 in bfloat16.
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if not _trains_on_cpu(x):
            return super().forward(x)
        weight, bias = self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            x, weight = x.to(dtype), weight.to(dtype)
            bias = None if bias is None else bias.to(dtype)
        return _Deconvolve.apply(x, weight, bias, self.stride[0], int(self.padding[0]))


class PointwiseConvolution(nn.Conv2d):
    """A 1x1 convolution as a matrix product: backward takes 0.6 of the time."""

    def forward(self, x: Tensor) -> Tensor:
        if not _trains_on_cpu(x):
            return super().forward(x)
        pixels = F.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias)
        return pixels.permute(0, 3, 1, 2)


class ThinConvolution(nn.Conv2d):
    """A 3x3 convolution, padded by 1, from many channels to few: takes 0.4 of the time.

    A matrix product computes nine values per output, one for each tap; a convolution with zeros
    and ones then adds nine neighbours.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not _trains_on_cpu(x):
            return super().forward(x)
        outputs = self.out_channels
        by_tap = self.weight.permute(2, 3, 0, 1).flatten(0, 2)  # (9 · outputs, inputs)
        taps = F.linear(x.permute(0, 2, 3, 1), by_tap).permute(0, 3, 1, 2)
        neighbours = torch.eye(len(by_tap), dtype=x.dtype).reshape(3, 3, outputs, -1)
        return F.conv2d(taps, neighbours.permute(2, 3, 0, 1), self.bias, padding=1)


class _Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.leaky_relu(x, weight.item())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        of_x = torch.ops.aten.leaky_relu_backward(grads[0], x, weight.item(), False)
        flat = (values.permute(0, 2, 3, 1).reshape(-1) for values in (grads[0], x.clamp(max=0)))
        return of_x, torch.dot(*flat).reshape(1)


class OneSlopePReLU(nn.PReLU):
    """A PReLU with one parameter: backward takes 0.4 of the time, except under autocast."""

    def forward(self, x: Tensor) -> Tensor:
        if not _trains_on_cpu(x) or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        return _Rectify.apply(x, self.weight)
