"""Flavours: the one graph of a model file in the form that a runtime is fastest with.

A rewrite looks for the nodes that it knows and leaves all others as they are. What it puts
in their place computes the same sums in another order, so that results differ by rounding
only; nodes for which that would not hold do not match.

Measured and not kept, because nothing gained: MaxPool with MaxUnpool (onnxruntime alone has
it; 1 to 4 %), pooling by ArgMax or by one mask (OpenVINO, 0.75 to 0.96 times the speed), a
graph without the output ``sr`` (onnxruntime; OpenVINO drops it where it is a branch).
"""

from collections.abc import Callable, Iterable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from geosrseg.runtime.devices.graph_view import GraphView, attributes

Rewrite = Callable[[GraphView], int]
"""Changes a graph and says in how many places."""

WORTH_PROJECTING = 8
"""A convolution is projected if it reads this many times the channels that it is projected to.

At 16 times, D-DBPN's last one with three bands, the whole network gains 4 to 9 %; at 4 times
and less it gains nothing.
"""

PLAIN_CONV = {"auto_pad": b"NOTSET", "group": 1, "dilations": [1, 1], "strides": [1, 1]}


def flavoured(content: bytes, rewrites: Iterable[Rewrite]) -> bytes:
    """A model file after some rewrites; the same bytes where none of them applies."""
    model = onnx.load_from_string(content)
    view = GraphView(model.graph)
    if not sum([rewrite(view) for rewrite in rewrites]):
        return content
    view.drop_unused_constants()
    return model.SerializeToString()


def join_deconvolutions(view: GraphView) -> int:
    """Convolution, depth-to-space and crop become the deconvolution that they stand for.

    `networks.onnx.layers.deconv_as_conv` is the other direction. OpenVINO's deconvolution
    makes no values for the crop to cut off: 1.1 times the speed in fp32, 1.3 in bf16.
    """
    return sum([_join_deconvolution(view, crop) for crop in view.nodes("Slice")])


def _join_deconvolution(view: GraphView, crop: NodeProto) -> int:
    grown = view.only_maker(crop.input[0], "DepthToSpace")
    if grown is None:
        return 0
    activation = view.only_maker(grown.input[0], "LeakyRelu", "Relu")
    conv = view.only_maker((activation or grown).input[0], "Conv")
    if conv is None:
        return 0
    deconv = _deconvolution(view, conv, grown, crop)
    if deconv is None:
        return 0
    (activation or deconv).output[0] = crop.output[0]
    view.replace(crop)
    view.replace(grown)
    view.replace(conv, deconv)
    return 1


def _deconvolution(
    view: GraphView, conv: NodeProto, grown: NodeProto, crop: NodeProto
) -> NodeProto | None:
    """The deconvolution, if there is one of these weights, bias and sizes."""
    weight, margin = view.constant(conv.input[1]), _margin(view, crop)
    growth = attributes(grown, mode=b"DCR")
    stride = growth["blocksize"]
    if weight is None or margin is None or growth["mode"] != b"CRD" or weight.ndim != 4:
        return None
    phases, _, taps, _ = weight.shape
    wanted = PLAIN_CONV | {"kernel_shape": [taps, taps], "pads": [taps - 1] * 4}
    if attributes(conv, **PLAIN_CONV, kernel_shape=list(weight.shape[2:])) != wanted:
        return None
    if phases % stride**2:
        return None
    inputs = [
        conv.input[0],
        view.add_constant(f"{conv.output[0]}/deconv", as_deconv(weight, stride)),
    ]
    if len(conv.input) > 2:
        bias = view.constant(conv.input[2])
        if bias is None:
            return None
        by_phase = bias.reshape(-1, stride**2)
        if (by_phase != by_phase[:, :1]).any():
            return None  # a deconvolution adds the same to all phases
        inputs.append(view.add_constant(f"{conv.output[0]}/deconv_bias", by_phase[:, 0]))
    return helper.make_node(
        "ConvTranspose",
        inputs,
        list(conv.output),
        name=conv.name,
        kernel_shape=[stride * taps] * 2,
        strides=[stride] * 2,
        pads=[margin] * 4,
    )


def as_deconv(weight: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """(outputs * stride², inputs, k, k) of a convolution -> (inputs, outputs, s·k, s·k)."""
    phases, inputs, taps, _ = weight.shape
    outputs = phases // stride**2
    by_phase = weight.reshape(outputs, stride, stride, inputs, taps, taps)
    by_tap = by_phase.transpose(3, 0, 4, 1, 5, 2)[:, :, ::-1, :, ::-1]
    return by_tap.reshape(inputs, outputs, stride * taps, stride * taps)


def _margin(view: GraphView, crop: NodeProto) -> int | None:
    """How many pixels a Slice cuts off all four sides."""
    constants = [view.constant(name) for name in crop.input[1:4]]
    if len(crop.input) != 4 or any(values is None for values in constants):
        return None
    first, last, axes = (values.tolist() for values in constants if values is not None)
    margin = first[0] if first else 0
    same = margin > 0 and (first, last, axes) == ([margin] * 2, [-margin] * 2, [2, 3])
    return margin if same else None


def project_convolutions(view: GraphView) -> int:
    """A 3x3 convolution of many channels to few becomes a 1x1 one and a sum of 3x3 pixels.

    The products of all nine pixels of the kernel are made at once, which keeps the machine
    busier than three outputs could; then each is added where it belongs.
    """
    return sum([_project_convolution(view, conv) for conv in view.nodes("Conv")])


def _project_convolution(view: GraphView, conv: NodeProto) -> int:
    weight = view.constant(conv.input[1])
    if weight is None or weight.ndim != 4:
        return 0
    outputs, inputs, *kernel = weight.shape
    wanted = PLAIN_CONV | {"kernel_shape": [3, 3], "pads": [1] * 4}
    if attributes(conv, **PLAIN_CONV, kernel_shape=kernel, pads=[0] * 4) != wanted:
        return 0
    if inputs < WORTH_PROJECTING * 9 * outputs:
        return 0
    products = weight.transpose(0, 2, 3, 1).reshape(9 * outputs, inputs, 1, 1)
    # an output adds its own nine products, each from its own pixel
    sums = np.eye(9 * outputs, dtype=np.float32).reshape(outputs, 9, -1).transpose(0, 2, 1)
    name = conv.output[0]
    one = helper.make_node(
        "Conv",
        [conv.input[0], view.add_constant(f"{name}/products", products)],
        [f"{name}/products_made"],
        name=f"{name}/products",
        kernel_shape=[1, 1],
    )
    nine = helper.make_node(
        "Conv",
        [
            one.output[0],
            view.add_constant(f"{name}/sums", sums.reshape(outputs, -1, 3, 3)),
            *conv.input[2:],
        ],
        list(conv.output),
        name=name,
        kernel_shape=[3, 3],
        pads=[1] * 4,
    )
    view.replace(conv, one, nine)
    return 1
