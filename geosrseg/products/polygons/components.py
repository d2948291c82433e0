"""Components: pixels of one class connected by their sides, strip by strip.

A strip is a block of whole rows of a class map. Its components are numbered from 1; 0 marks
nodata. `join` merges the numbers of components that are connected.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geosrseg.core.legend import NODATA

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The components of one strip.

    Attributes:
        ids: (rows, width) 1 to n, or 0 for nodata.
        classes: (n,) class ids; ``classes[k]`` is that of component k + 1.
    """

    ids: Ids
    classes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.classes)

    def sum(self, values: NDArray[np.generic] | None = None) -> NDArray[np.float64]:
        """(n,) sums of (rows, width) values per component, or pixel counts without values."""
        weights = None if values is None else values.ravel()
        sums = np.bincount(self.ids.ravel(), weights=weights, minlength=len(self) + 1)
        return sums[1:].astype(np.float64)


def label_components(labels: NDArray[np.uint8]) -> Components:
    """Find the components of a strip.

    Args:
        labels: (rows, width) class ids or NODATA.
    """
    starts = np.ones(labels.shape, np.bool_)  # the first pixel of a run within its row
    starts[:, 1:] = labels[:, 1:] != labels[:, :-1]
    run = np.cumsum(starts, dtype=np.int32).reshape(labels.shape) - 1
    classes = labels[starts]
    # Two runs that touch do so at a pixel where one of them starts.
    touching = (labels[1:] == labels[:-1]) & (starts[1:] | starts[:-1])
    groups = join(len(classes), run[:-1][touching], run[1:][touching])
    valid = classes != NODATA
    numbers, first = np.unique(groups[valid], return_index=True)
    number_of_group = np.zeros(len(classes) + 1, np.int32)
    number_of_group[numbers] = np.arange(1, len(numbers) + 1)
    ids = np.where(valid, number_of_group[groups], np.int32(0))
    return Components(ids[run], classes[valid][first])


def join(count: int, one: NDArray[np.integer], other: NDArray[np.integer]) -> Ids:
    """Number the connected components of a graph.

    Args:
        count: number of nodes.
        one: (pairs,) first node of each edge.
        other: (pairs,) second node of each edge.

    Returns:
        (count,) component of every node, from 0.
    """
    pairs = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(count, count))
    groups: Ids = connected_components(pairs, directed=False)[1]
    return groups
