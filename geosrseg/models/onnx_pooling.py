"""Pooling with indices, written without indices.

MaxUnpool exists on few runtimes: not on CUDA, TensorRT or OpenVINO. All that is needed of
an index is which of four pixels was the largest, the first in scan order if several were.
Both forms below decide that with plain operators and equal PyTorch's
`max_pool2d(return_indices=True)` and `max_unpool2d`, ties included.
"""

from typing import Protocol

from onnx import TensorProto

from geosrseg.models.onnx_writer import GraphWriter

STEP = 2  # pixels of a pooling window along each axis

Places = tuple[str, ...]
"""Names of the values by which a form remembers where the maxima were."""


class Pooling(Protocol):
    """A way to write 2x2 max pooling and its inverse."""

    def pool(self, graph: GraphWriter, x: str) -> tuple[str, Places]:
        """(N, C, H, W) -> the maxima (N, C, H/2, W/2), and where they were."""

    def unpool(self, graph: GraphWriter, x: str, places: Places) -> str:
        """(N, C, H/2, W/2) -> (N, C, H, W), each value at its place and zero elsewhere."""


class PeelPooling:
    """Three 0/1 planes "this pixel is the maximum", by which a value is peeled off.

    Pixels 0, 1, 2, 3 of a window in turn take what is left of the value. The first that
    is the maximum takes all of it, so ties need no further care. Arithmetic with 0 and 1
    is exact, and on onnxruntime's CPU costs half of what Where does: as little as
    MaxUnpool.
    """

    def pool(self, graph: GraphWriter, x: str) -> tuple[str, Places]:
        pixels = graph.split(graph.node("SpaceToDepth", x, blocksize=STEP), STEP**2)
        maxima = graph.node("Max", *pixels)
        equal = [graph.node("Equal", pixel, maxima) for pixel in pixels[:-1]]
        return maxima, tuple(graph.node("Cast", place, to=TensorProto.FLOAT) for place in equal)

    def unpool(self, graph: GraphWriter, x: str, places: Places) -> str:
        pixels, left = [], x
        for place in places:
            pixels.append(graph.node("Mul", left, place))
            left = graph.node("Sub", left, pixels[-1])
        stacked = graph.node("Concat", *pixels, left, axis=1)
        return graph.node("DepthToSpace", stacked, blocksize=STEP)


class ArgMaxPooling:
    """ArgMax over the four pixels of a window: slower, but no test for equal floats.

    Quantization breaks that test, as both sides of it are rounded on their own.
    """

    def pool(self, graph: GraphWriter, x: str) -> tuple[str, Places]:
        stacked = graph.node("SpaceToDepth", x, blocksize=STEP)  # (N, 4·C, H/2, W/2)
        windows = graph.node("Reshape", stacked, graph.constant([0, STEP**2, -1]))
        largest = graph.node("ArgMax", windows, axis=1, keepdims=1)
        maxima = graph.node("MaxPool", x, kernel_shape=[STEP, STEP], strides=[STEP, STEP])
        return maxima, (largest, graph.node("Shape", stacked))

    def unpool(self, graph: GraphWriter, x: str, places: Places) -> str:
        largest, shape = places
        pixel = graph.node("Reshape", graph.constant(list(range(STEP**2))), graph.constant([-1, 1]))
        here = graph.node("Equal", largest, pixel)
        value = graph.node("Reshape", x, graph.constant([0, 1, -1]))
        windows = graph.node("Where", here, value, graph.constant(0.0))
        return graph.node("DepthToSpace", graph.node("Reshape", windows, shape), blocksize=STEP)
