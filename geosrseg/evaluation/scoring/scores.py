"""The counts of one model, and the figures computed from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix
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

MEANS = {
    "normalized_accuracy": "producers_accuracy",
    "mean_iou": "iou",
    "boundary_mean_iou": "boundary_iou",
    "mean_small_object_recall": "small_object_recall",
}
"""Figures of the whole map that are the mean of a figure per class."""


@dataclass(frozen=True, eq=False)
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
        """Return the figures of `OVERALL`, and those of `BY_CLASS` for every class.

        A mean is over the classes that occur in all blocks together, and so undefined on draws
        that lack one: means over other classes cannot be compared.
        """
        confusion = self.matrix(draws)
        columns = self._columns(confusion, draws)
        means = {name: _mean(columns[own], self._whole[own]) for name, own in MEANS.items()}
        return {
            **confusion.metrics(),
            **means,
            **{
                f"{name}/{label}": float(value)
                for name, column in columns.items()
                for label, value in zip(self.class_names, column, strict=True)
            },
        }

    @cached_property
    def _whole(self) -> dict[str, NDArray[np.float64]]:
        """The figures of `BY_CLASS` over all blocks, which every draw asks for."""
        return self._columns(self.matrix(), None)

    def _columns(
        self, confusion: ConfusionMatrix, draws: NDArray[np.int64] | None
    ) -> dict[str, NDArray[np.float64]]:
        """Return (classes,) values of each figure of `BY_CLASS`; NaN where undefined."""
        objects, found = self.objects.sums(draws), self.found.sums(draws)
        recall = np.divide(found, objects, out=np.full(objects.shape, np.nan), where=objects > 0)
        columns = (
            confusion.iou,
            confusion.producers_accuracy,
            confusion.users_accuracy,
            self.boundary_matrix(draws).iou,
            recall,
        )
        return dict(zip(BY_CLASS, columns, strict=True))

    def _matrix(self, counts: BlockCounts, draws: NDArray[np.int64] | None) -> ConfusionMatrix:
        classes = len(self.class_names)
        return ConfusionMatrix(counts.sums(draws).reshape(classes, classes))


def _mean(values: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    """Return the mean over the classes with a value in `whole`; NaN if one lacks it here."""
    defined = np.isfinite(whole)
    return float(values[defined].mean()) if defined.any() else math.nan


def add_scores(parts: Sequence[Scores]) -> Scores:
    """Add up the scores of several areas, whose blocks are numbered consecutively."""
    first = parts[0]

    def add(name: str) -> BlockCounts:
        counts = [getattr(part, name) for part in parts]
        return BlockCounts.add_up(counts, cells=counts[0].cells)

    return Scores(
        first.class_names, add("confusion"), add("boundary"), add("objects"), add("found")
    )
