"""GraphWriter: builds an ONNX graph from nodes and constants."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper

OPSET = 18
"""ONNX Runtime's CUDA kernels match newer operator versions only where registered."""

IR_VERSION = 8
"""The oldest version that holds opset 18; every onnxruntime since 1.13 reads it."""


class GraphWriter:
    """Collects nodes and constants.

    Every method returns the names of the values it adds, to be passed on:
    ``y = graph.node("Relu", graph.node("Conv", x, weight, bias))``.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def node(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node with one output; return its name, by default derived from the operator."""
        output = name or f"{op}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def rename(self, old: str, new: str) -> str:
        """Rename a value and its node; return the new name."""
        for node in self._nodes:
            node.input[:] = [new if name == old else name for name in node.input]
            node.output[:] = [new if name == old else name for name in node.output]
            node.name = new if node.name == old else node.name
        return new

    def split(self, x: str, parts: int, *, axis: int = 1) -> list[str]:
        """Split `x` along an axis, by default the channels, into equal `parts`."""
        name = f"Split_{len(self._nodes)}"
        outputs = [f"{name}_{part}" for part in range(parts)]
        self._nodes.append(
            helper.make_node("Split", [x], outputs, name=name, axis=axis, num_outputs=parts)
        )
        return outputs

    def constant(self, values: NDArray[Any] | float | list[int]) -> str:
        """Add a constant, int64 for a list of integers and otherwise float32.

        Equal constants are stored once.
        """
        array = np.asarray(values, np.int64 if isinstance(values, list) else np.float32)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"constant_{len(self._constants)}"
            self._constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def include(self, model: onnx.ModelProto, x: str) -> list[str]:
        """Add the nodes of a model whose single input is `x`; return the names of its outputs."""
        prefix = f"part_{len(self._nodes)}/"
        graph = compose.add_prefix_graph(model.graph, prefix)
        entry = graph.input[0].name
        for node in graph.node:
            node.input[:] = [x if name == entry else name for name in node.input]
        self._nodes += graph.node
        self._constants += graph.initializer
        return [output.name for output in graph.output]

    def graph(self) -> onnx.GraphProto:
        """Return the graph so far, unchecked."""
        return helper.make_graph(self._nodes, "graph", [], [], self._constants)

    def model(
        self,
        *,
        name: str,
        inputs: list[onnx.ValueInfoProto],
        outputs: list[onnx.ValueInfoProto],
        metadata: dict[str, str],
        producer: tuple[str, str],
    ) -> onnx.ModelProto:
        """Return the finished model, checked.

        Raises:
            onnx.checker.ValidationError: the graph is not valid ONNX.
        """
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=producer[0],
            producer_version=producer[1],
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model
