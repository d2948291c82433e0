"""The counts of one model, and the figures computed from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix, mean_of_defined
from geosrseg.evaluation.scoring.block_counts import BlockCounts
from geosrseg.evaluation.scoring.bootstrap import Figures

BY_CLASS = ("iou", "producers_accuracy", "users_accuracy", "boundary_iou", "small_object_recall")
"""Figures per class, named like ``iou/water``."""

OVERALL = (
    "overall_accuracy",
    "normalized_accuracy",
    "mean_iou",
    "kappa",
    "boundary_mean_iou",
    "mean_small_object_recall",
)
"""Figures of the whole map."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Counts of one model by block.

    Attributes:
        class_names: in the order of the cells.
        confusion: cells reference * classes + prediction, over all counted pixels.
        boundary: the same for pixels near a boundary of the reference.
        objects: small objects of the reference by class.
        found: small objects that the model found, by class.
    """

    class_names: tuple[str, ...]
    confusion: BlockCounts
    boundary: BlockCounts
    objects: BlockCounts
    found: BlockCounts

    def matrix(self, draws: NDArray[np.int64] | None = None) -> ConfusionMatrix:
        """Return the confusion matrix of all counted pixels; see `BlockCounts.sums`."""
        return self._matrix(self.confusion, draws)

    def boundary_matrix(self, draws: NDArray[np.int64] | None = None) -> ConfusionMatrix:
        """Return the confusion matrix of the pixels near a boundary."""
        return self._matrix(self.boundary, draws)

    def figures(self, draws: NDArray[np.int64] | None = None) -> Figures:
        """Return the figures of `OVERALL`, and those of `BY_CLASS` for every class."""
        confusion, boundary = self.matrix(draws), self.boundary_matrix(draws)
        objects, found = self.objects.sums(draws), self.found.sums(draws)
        recall = np.divide(found, objects, out=np.full(objects.shape, np.nan), where=objects > 0)
        columns = (
            confusion.iou,
            confusion.producers_accuracy,
            confusion.users_accuracy,
            boundary.iou,
            recall,
        )
        return {
            **confusion.metrics(),
            "boundary_mean_iou": boundary.mean_iou,
            "mean_small_object_recall": mean_of_defined(recall),
            **{
                f"{name}/{label}": float(value)
                for name, column in zip(BY_CLASS, columns, strict=True)
                for label, value in zip(self.class_names, column, strict=True)
            },
        }

    def _matrix(self, counts: BlockCounts, draws: NDArray[np.int64] | None) -> ConfusionMatrix:
        classes = len(self.class_names)
        return ConfusionMatrix(counts.sums(draws).reshape(classes, classes))


def add_scores(parts: Sequence[Scores]) -> Scores:
    """Add up the scores of several areas, whose blocks are numbered consecutively."""
    first = parts[0]

    def add(name: str) -> BlockCounts:
        counts = [getattr(part, name) for part in parts]
        return BlockCounts.add_up(counts, cells=counts[0].cells)

    return Scores(
        first.class_names, add("confusion"), add("boundary"), add("objects"), add("found")
    )
