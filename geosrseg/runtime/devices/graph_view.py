"""GraphView: finds and replaces nodes of an ONNX graph by who makes and reads their values."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper, numpy_helper


class GraphView:
    """A graph that is searched and changed in place.

    Searches use the state of the graph from when the view was made.
    """

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._constants = {array.name: array for array in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}
        self._readers = Counter(name for node in graph.node for name in node.input)
        self._readers.update(output.name for output in graph.output)

    def nodes(self, op: str) -> list[NodeProto]:
        """Return the nodes of an operator, in the order in which they run."""
        return [node for node in self._graph.node if node.op_type == op]

    def only_maker(self, value: str, *ops: str) -> NodeProto | None:
        """Return the maker of a value if it is one of `ops` and only one node reads the value."""
        node = self._makers.get(value)
        alone = self._readers[value] == 1 and node is not None and node.op_type in ops
        return node if alone else None

    def constant(self, value: str) -> NDArray[Any] | None:
        """Return the array of a constant; None if the value is not constant."""
        array = self._constants.get(value)
        return None if array is None else numpy_helper.to_array(array)

    def add_constant(self, name: str, values: NDArray[Any]) -> str:
        """Store a constant under a new name, and return the name."""
        self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def replace(self, node: NodeProto, *others: NodeProto) -> None:
        """Put other nodes in a node's place."""
        index = list(self._graph.node).index(node)
        del self._graph.node[index]
        for offset, other in enumerate(others):
            self._graph.node.insert(index + offset, other)

    def drop_unused_constants(self) -> None:
        """Remove the constants that no node reads any more."""
        read = {name for node in self._graph.node for name in node.input}
        for array in list(self._graph.initializer):
            if array.name not in read:
                self._graph.initializer.remove(array)


def attributes(node: NodeProto, **defaults: Any) -> dict[str, Any]:
    """Return a node's attributes, with defaults for those that it does not set."""
    return defaults | {item.name: helper.get_attribute_value(item) for item in node.attribute}
