"""Pooling with indices, written without indices.

MaxUnpool exists on few runtimes: not on CUDA, TensorRT or OpenVINO. All that is needed of
an index is which of four pixels was the largest, the first in scan order if several were.
Three 0/1 planes "this pixel is the maximum" decide that with plain operators and equal
PyTorch's `max_pool2d(return_indices=True)` and `max_unpool2d`, ties included. Arithmetic
with 0 and 1 is exact, and on onnxruntime's CPU costs half of what Where does: as little as
MaxUnpool.
"""

from onnx import TensorProto

from geosrseg.networks.onnx.writer import GraphWriter

STEP = 2  # pixels of a pooling window along each axis

Places = tuple[str, ...]
"""Names of the planes by which is remembered where the maxima were."""


def emit_pool(graph: GraphWriter, x: str) -> tuple[str, Places]:
    """(N, C, H, W) -> the maxima (N, C, H/2, W/2), and where they were."""
    pixels = graph.split(graph.node("SpaceToDepth", x, blocksize=STEP), STEP**2)
    maxima = graph.node("Max", *pixels)
    equal = [graph.node("Equal", pixel, maxima) for pixel in pixels[:-1]]
    return maxima, tuple(graph.node("Cast", place, to=TensorProto.FLOAT) for place in equal)


def emit_unpool(graph: GraphWriter, x: str, places: Places) -> str:
    """(N, C, H/2, W/2) -> (N, C, H, W), each value at its place and zero elsewhere.

    Pixels 0, 1, 2, 3 of a window in turn take what is left of the value. The first that is
    the maximum takes all of it, so ties need no further care.
    """
    pixels, left = [], x
    for place in places:
        pixels.append(graph.node("Mul", left, place))
        left = graph.node("Sub", left, pixels[-1])
    stacked = graph.node("Concat", *pixels, left, axis=1)
    return graph.node("DepthToSpace", stacked, blocksize=STEP)
