"""The model file: a network as one self-contained ONNX graph.

Functions write our own networks node by node, without tracing. The graph then has only operators
that every runtime supports (no MaxUnpool, no Resize), dynamic N, H and W, and does not depend on
the version of an exporter. Other networks are traced if no function is registered for them.
"""

import copy

import onnx
from onnx import TensorProto, helper

from geosrseg.core.spec import SPEC_KEY, ModelSpec
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.joint import emit_joint
from geosrseg.networks.onnx.writer import GraphWriter
from geosrseg.version import __version__


def build_onnx(network: JointNetwork, spec: ModelSpec) -> onnx.ModelProto:
    """Write a network, in evaluation mode, and its ModelSpec as one ONNX model.

    Returns:
        Input ``lr`` (N, bands, H, W), outputs ``probabilities`` (N, classes, s·H, s·W)
        and ``sr`` (N, bands, s·H, s·W), which is not clipped; all float32. H and W are
        multiples of the ModelSpec's `multiple`. The metadata contains the ModelSpec.
    """
    factor = spec.upscale_factor
    return _written(network).model(
        name=spec.name,
        inputs=[_image("lr", len(spec.bands), factor=1)],
        outputs=[
            _image("probabilities", len(spec.legend), factor=factor),
            _image("sr", len(spec.bands), factor=factor),
        ],
        metadata={SPEC_KEY: spec.to_json()},
        producer=("geosrseg", __version__),
    )


def build_graph(network: JointNetwork) -> onnx.GraphProto:
    """Write the nodes and constants of `build_onnx`, without the ModelSpec."""
    return _written(network).graph()


def _written(network: JointNetwork) -> GraphWriter:
    network = copy.deepcopy(network).cpu().double().eval()
    graph = GraphWriter()
    logits = emit_joint(network, graph, "lr")
    graph.node("Softmax", logits, name="probabilities", axis=1)
    return graph


def _image(name: str, channels: int, *, factor: int) -> onnx.ValueInfoProto:
    height, width = ("H", "W") if factor == 1 else (f"{factor}*H", f"{factor}*W")
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, height, width])
