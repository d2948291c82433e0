"""The model file: a network as one self-contained ONNX graph.

Our own networks are written by hand and not traced: the graph then has only operators that
every runtime has (no MaxUnpool, no Resize), dynamic N, H and W, and nothing that depends on
the version of an exporter. A network that others add is traced where it has no form here.
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
    """Write a network and its ModelSpec as one ONNX model.

    Args:
        network: not changed; its batch normalizations are read as for evaluation.
        spec: goes into the metadata, and names the sizes of input and outputs.

    Returns:
        Input ``lr`` (N, bands, H, W), outputs ``probabilities`` (N, classes, s·H, s·W)
        and ``sr`` (N, bands, s·H, s·W), which is not clipped; all float32. s·H and s·W
        are multiples of the window's HR pixels.
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
    """Nodes and constants of `build_onnx`, without the ModelSpec."""
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
