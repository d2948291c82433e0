"""Writes modules as ONNX nodes, with one function per kind of module.

The weights are float64 and only rounded to float32 when stored, so that folding a batch
normalization into its convolution costs no accuracy.
"""

from functools import singledispatch

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from geosrseg.networks.framework import Residual
from geosrseg.networks.onnx.pooling import emit_pool, emit_unpool
from geosrseg.networks.onnx.tracing import trace
from geosrseg.networks.onnx.writer import GraphWriter
from geosrseg.networks.part import Part
from geosrseg.networks.segmentation.segnet import SegNet
from geosrseg.networks.segmentation.unet import UNet, UNetTrunk
from geosrseg.networks.super_resolution.bicubic import RADIUS, BicubicUpsample
from geosrseg.networks.super_resolution.dbpn import DBPN, ConvBlock, DeconvBlock, Projection
from geosrseg.networks.super_resolution.espcn import ESPCN


@singledispatch
def emit(module: nn.Module, graph: GraphWriter, x: str) -> str:
    """Write a module with the input `x`; return the name of its output.

    Raises:
        TypeError: no function is registered for this kind of module.
    """
    raise TypeError(f"no ONNX form for {type(module).__name__}")


@emit.register
def _part(module: Part, graph: GraphWriter, x: str) -> str:
    (output,) = trace(module, graph, x)
    return output


@emit.register(nn.Identity)
@emit.register(nn.Dropout2d)
def _identity(_module: nn.Module, _graph: GraphWriter, x: str) -> str:
    return x


@emit.register
def _relu(_module: nn.ReLU, graph: GraphWriter, x: str) -> str:
    return graph.node("Relu", x)


@emit.register
def _prelu(module: nn.PReLU, graph: GraphWriter, x: str) -> str:
    """Write a PReLU with one parameter as LeakyRelu, which runtimes fuse with a convolution."""
    return graph.node("LeakyRelu", x, alpha=module.weight.item())


@emit.register(nn.Conv2d)
@emit.register(nn.ConvTranspose2d)
def _conv(module: nn.Conv2d | nn.ConvTranspose2d, graph: GraphWriter, x: str) -> str:
    return graph.node(
        "Conv" if isinstance(module, nn.Conv2d) else "ConvTranspose",
        x,
        *_constants(graph, module.weight, module.bias),
        kernel_shape=list(module.kernel_size),
        strides=list(module.stride),
        pads=[_pixels(module.padding)] * 4,
    )


@emit.register
def _sequential(module: nn.Sequential, graph: GraphWriter, x: str) -> str:
    for layer in _folded(module):
        x = emit(layer, graph, x)
    return x


@emit.register
def _conv_block(module: ConvBlock, graph: GraphWriter, x: str) -> str:
    return emit(module.act, graph, emit(module.conv, graph, x))


@emit.register
def _deconv_block(module: DeconvBlock, graph: GraphWriter, x: str) -> str:
    deconv = module.deconv
    kernel, stride, padding = deconv.kernel_size[0], deconv.stride[0], _pixels(deconv.padding)
    if kernel != 2 * stride:  # rewriting is only faster with 2x2 taps: at 4x
        return emit(module.act, graph, emit(deconv, graph, x))
    weight = deconv_as_conv(deconv.weight, stride=stride)
    taps = weight.shape[-1]
    bias = None if deconv.bias is None else deconv.bias.repeat_interleave(stride**2)
    phases = graph.node(
        "Conv",
        x,
        *_constants(graph, weight, bias),
        kernel_shape=[taps, taps],
        pads=[taps - 1] * 4,
    )
    # the activation comes first: next to the convolution it can be fused
    grown = graph.node(
        "DepthToSpace", emit(module.act, graph, phases), blocksize=stride, mode="CRD"
    )
    return _crop(graph, grown, padding)


def deconv_as_conv(weight: Tensor, *, stride: int) -> Tensor:
    """Rewrite a deconvolution as a convolution, to be followed by depth-to-space and a crop.

    Output pixel ``stride * q + r`` (before the crop) sums ``x[q - m] * w[r + stride * m]``
    over the taps m: one small convolution for each of the stride² phases r.

    Args:
        weight: (inputs, outputs, k, k) of the deconvolution, k a multiple of `stride`.
        stride: stride of the deconvolution.

    Returns:
        (outputs * stride², inputs, k / stride, k / stride) weights of the convolution.
    """
    inputs, outputs, kernel, _ = weight.shape
    taps = kernel // stride
    by_phase = weight.reshape(inputs, outputs, taps, stride, taps, stride).flip(2, 4)
    return by_phase.permute(1, 3, 5, 0, 2, 4).reshape(outputs * stride**2, inputs, taps, taps)


@emit.register
def _projection(module: Projection, graph: GraphWriter, x: str) -> str:
    merge, project, back, correct = module.children()
    x = emit(merge, graph, x)
    projected = emit(project, graph, x)
    error = graph.node("Sub", emit(back, graph, projected), x)
    return graph.node("Add", projected, emit(correct, graph, error))


@emit.register
def _dbpn(module: DBPN, graph: GraphWriter, x: str) -> str:
    x = emit(module.feat1, graph, emit(module.feat0, graph, x))
    highs = [emit(module.get_submodule("up1"), graph, x)]
    lows = [emit(module.get_submodule("down1"), graph, highs[0])]
    for stage in range(2, module.stages + 1):
        highs.insert(0, emit(module.get_submodule(f"up{stage}"), graph, _concat(graph, lows)))
        if stage < module.stages:
            down = module.get_submodule(f"down{stage}")
            lows.insert(0, emit(down, graph, _concat(graph, highs)))
    return emit(module.output_conv, graph, _concat(graph, highs))


@emit.register
def _bicubic(module: BicubicUpsample, graph: GraphWriter, x: str) -> str:
    if module.upscale_factor == 1:
        return x
    edges = graph.constant([0, 0, RADIUS, RADIUS] * 2)
    edged = graph.node("Pad", x, edges, mode="edge")
    phases = graph.node("Conv", edged, *_constants(graph, module.kernel), group=module.bands)
    return graph.node("DepthToSpace", phases, blocksize=module.upscale_factor, mode="CRD")


@emit.register
def _residual(module: Residual, graph: GraphWriter, x: str) -> str:
    return graph.node("Add", emit(module.bicubic, graph, x), emit(module.network, graph, x))


@emit.register
def _espcn(module: ESPCN, graph: GraphWriter, x: str) -> str:
    for layer in (module.conv1, module.conv2):
        x = graph.node("Tanh", emit(layer, graph, x))
    phases = emit(module.conv3, graph, x)
    return graph.node("DepthToSpace", phases, blocksize=module.upscale_factor, mode="CRD")


@emit.register
def _unet(module: UNet, graph: GraphWriter, x: str) -> str:
    return emit(module.classifier, graph, _unet_trunk(module, graph, x))


@emit.register
def _unet_trunk(module: UNetTrunk, graph: GraphWriter, x: str) -> str:
    skipped = []
    for block in module.encoder[:-1]:
        skipped.append(emit(block, graph, x))
        x = graph.node("MaxPool", skipped[-1], kernel_shape=[2, 2], strides=[2, 2])
    x = emit(module.encoder[-1], graph, x)
    for up, block, skip in zip(module.up, module.decoder, reversed(skipped), strict=True):
        raised = emit(up, graph, x)
        both = graph.node("Add", skip, raised) if module.light else _concat(graph, [skip, raised])
        x = emit(block, graph, both)
    return x


@emit.register
def _segnet(module: SegNet, graph: GraphWriter, x: str) -> str:
    all_places = []
    for block in module.encoder:
        x, places = emit_pool(graph, emit(block, graph, x))
        all_places.append(places)
    for block, places in zip(module.decoder, reversed(all_places), strict=True):
        x = emit(block, graph, emit_unpool(graph, x, places))
    return emit(module.classifier, graph, x)


def _folded(layers: nn.Sequential) -> list[nn.Module]:
    """Fold each batch normalization into the convolution before it."""
    folded: list[nn.Module] = []
    for layer in layers:
        before = folded[-1] if folded else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            folded[-1] = fuse_conv_bn_eval(before, layer)
        else:
            folded.append(layer)
    return folded


def _constants(graph: GraphWriter, *tensors: Tensor | None) -> list[str]:
    return [graph.constant(t.detach().to(torch.float32).numpy()) for t in tensors if t is not None]


def _pixels(padding: str | tuple[int, ...]) -> int:
    """Return the padding of each side."""
    if isinstance(padding, str):
        raise TypeError(f"no ONNX form for padding {padding!r}")
    return padding[0]


def _concat(graph: GraphWriter, values: list[str]) -> str:
    return graph.node("Concat", *values, axis=1) if len(values) > 1 else values[0]


def _crop(graph: GraphWriter, x: str, pixels: int) -> str:
    """Cut `pixels` off all four sides."""
    first, last, axes = (graph.constant(values) for values in ([pixels] * 2, [-pixels] * 2, [2, 3]))
    return graph.node("Slice", x, first, last, axes)
