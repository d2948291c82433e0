"""Writes networks that return both SR image and logits as ONNX nodes."""

from functools import singledispatch

from torch import nn

from geosrseg.networks.compact import Compact, SubPixel
from geosrseg.networks.framework import EndToEnd
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.layers import emit
from geosrseg.networks.onnx.tracing import trace
from geosrseg.networks.onnx.writer import GraphWriter
from geosrseg.networks.spectral import DARK, MIDDLE, SpectralFeatures

SR = "sr"
"""Name of the SR image in a graph."""


@singledispatch
def emit_joint(network: JointNetwork, graph: GraphWriter, x: str) -> str:
    """Write a network with the input image `x`; its SR image gets the name ``sr``.

    Returns:
        The name of the logits.
    """
    sr, logits = trace(network, graph, x)
    graph.node("Identity", sr, name=SR)
    return logits


@emit_joint.register
def _end_to_end(network: EndToEnd, graph: GraphWriter, x: str) -> str:
    sr = graph.node("Identity", emit(network.sr, graph, x), name=SR)
    return emit(network.seg, graph, sr)


@emit_joint.register
def _compact(network: Compact, graph: GraphWriter, x: str) -> str:
    features = emit(network.features, graph, x)
    if network.fold > 1:
        features = graph.node("SpaceToDepth", features, blocksize=network.fold)
    for module in (network.trunk, network.grow, network.refine):
        features = emit(module, graph, features)
    sr = emit(network.bicubic, graph, x)
    if network.image is not None:
        sr = graph.node("Add", sr, emit(network.image, graph, features))
    graph.node("Identity", sr, name=SR)
    return emit(network.classifier, graph, features)


@emit.register
def _sub_pixel(module: SubPixel, graph: GraphWriter, x: str) -> str:
    phases = emit(nn.ReLU(), graph, emit(module.conv, graph, x))
    return graph.node("DepthToSpace", phases, blocksize=module.factor, mode="CRD")


@emit.register
def _spectral(module: SpectralFeatures, graph: GraphWriter, x: str) -> str:
    if not module.widened:
        return x
    span, low = (graph.constant(values.float().numpy()) for values in (module.span, module.low))
    reflectance = graph.node("Relu", graph.node("Add", graph.node("Mul", x, span), low))
    above = graph.node("Add", reflectance, graph.constant(DARK))
    features = [x, graph.node("Add", graph.node("Log", above), graph.constant(MIDDLE))]
    if module.pairs:
        one, other = (
            graph.node("Gather", above, graph.constant(list(bands)), axis=1)
            for bands in zip(*module.pairs, strict=True)
        )
        difference, total = graph.node("Sub", one, other), graph.node("Add", one, other)
        features.append(graph.node("Div", difference, total))
    return graph.node("Concat", *features, axis=1)
