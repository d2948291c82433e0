"""Tiny model files whose maps are known exactly."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from geosrseg.core.domain import Domain
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.core.normalize import Normalization
from geosrseg.core.spec import SPEC_KEY, ModelSpec

SHARPNESS = 1000.0

ANYWHERE = Domain(resolution=30.0, offered=tuple(30 * 1.4**k for k in range(-40, 40)))
"""Learned from pixels of any size, so that no scene of a test is another kind."""


def make_spec(*, bands: int = 3, classes: int = 3, **changes: Any) -> ModelSpec:
    """A ModelSpec; class ids are 1, 2, ... so that they differ from the outputs' indices."""
    legend = Legend(
        tuple(LegendClass(i + 1, f"class {i + 1}", f"#{i:06x}") for i in range(classes))
    )
    values: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "bands": tuple(f"band {i + 1}" for i in range(bands)),
        "upscale_factor": 4,
        "normalization": Normalization((0.0,) * bands, (1.0,) * bands, (0.5,) * bands),
        "legend": legend,
        "multiple": 8,
        "window_size": 64,
        "halo": 0,
        "exact_halo": 0,
        "licence": "MIT",
        "training_data": "none",
        "domain": ANYWHERE,
    }
    return ModelSpec(**{**values, **changes})


def make_onnx(spec: ModelSpec, *, reach: int = 0) -> onnx.ModelProto:
    """A model that divides the first band into as many equal steps as there are classes.

    Its probabilities are all but 0 and 1, and every target pixel repeats its source pixel,
    in ``sr`` too. With a `reach` the band is first averaged over (2 * reach + 1)² pixels,
    zero beyond the window, so that a window's border is felt that far inside.
    """
    classes, factor, size = len(spec.legend), spec.upscale_factor, 2 * reach + 1
    centres = (np.arange(classes) + 0.5) / classes
    weight = np.zeros((classes, len(spec.bands), size, size), np.float32)
    # -(x - centre)², without x², which is the same for all classes
    weight[:, 0] = (2 * SHARPNESS * centres / size**2)[:, None, None]
    constants = {"weight": weight, "bias": (-SHARPNESS * centres**2).astype(np.float32)}

    def repeated(x: str, y: str) -> list[onnx.NodeProto]:
        copies = [x] * factor**2
        return [
            helper.make_node("Concat", copies, [f"{y}_copies"], axis=1),
            helper.make_node("DepthToSpace", [f"{y}_copies"], [y], blocksize=factor),
        ]

    def port(name: str, channels: int, size: str) -> onnx.ValueInfoProto:
        shape = ["N", channels, f"{size}H", f"{size}W"]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    nodes = [
        helper.make_node("Conv", ["lr", "weight", "bias"], ["logits"], pads=[reach] * 4),
        helper.make_node("Softmax", ["logits"], ["steps"], axis=1),
        *repeated("steps", "probabilities"),
        *repeated("lr", "sr"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [port("lr", len(spec.bands), "")],
        [port("probabilities", classes, "s"), port("sr", len(spec.bands), "s")],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {SPEC_KEY: spec.to_json()})
    return model
