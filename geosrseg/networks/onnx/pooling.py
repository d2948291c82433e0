"""Writes pooling with indices as ONNX nodes without indices.

Few runtimes have MaxUnpool; CUDA, TensorRT and OpenVINO do not. The only information needed
from an index is which of four pixels was the largest, or the first in scan order of several.
Three 0/1 planes "this pixel is the maximum" hold it with plain operators and equal
PyTorch's `max_pool2d(return_indices=True)` and `max_unpool2d`, ties included. Arithmetic
with 0 and 1 is exact, and on onnxruntime's CPU takes half the time of Where: as little as
MaxUnpool.
"""

from onnx import TensorProto

from geosrseg.networks.onnx.writer import GraphWriter

STEP = 2  # pixels of a pooling window along each axis

Places = tuple[str, ...]
"""Names of the planes that mark the maxima."""


def emit_pool(graph: GraphWriter, x: str) -> tuple[str, Places]:
    """(N, C, H, W) -> the maxima (N, C, H/2, W/2), and their places."""
    pixels = graph.split(graph.node("SpaceToDepth", x, blocksize=STEP), STEP**2)
    maxima = graph.node("Max", *pixels)
    equal = [graph.node("Equal", pixel, maxima) for pixel in pixels[:-1]]
    return maxima, tuple(graph.node("Cast", place, to=TensorProto.FLOAT) for place in equal)


def emit_unpool(graph: GraphWriter, x: str, places: Places) -> str:
    """(N, C, H/2, W/2) -> (N, C, H, W), each value at its place and zero elsewhere.

    Pixels 0, 1, 2, 3 of a window take the remaining value in turn. The first one marked as
    maximum takes all of it, so ties need no special treatment.
    """
    pixels, left = [], x
    for place in places:
        pixels.append(graph.node("Mul", left, place))
        left = graph.node("Sub", left, pixels[-1])
    stacked = graph.node("Concat", *pixels, left, axis=1)
    return graph.node("DepthToSpace", stacked, blocksize=STEP)
