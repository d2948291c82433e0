"""ConfusionMatrix: pixel counts of reference against prediction, and the metrics."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """Pixel counts; rows are the reference, columns the prediction. Matrices add.

    Attributes:
        counts: (classes, classes) int64.
    """

    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        shape = self.counts.shape
        if len(shape) != 2 or shape[0] != shape[1] or (self.counts < 0).any():
            raise ValueError(f"a square matrix of counts, got shape {shape}")

    @classmethod
    def of(
        cls, reference: NDArray[np.uint8], labels: NDArray[np.uint8], *, classes: int
    ) -> "ConfusionMatrix":
        """Count two arrays of class indices; pixels with NODATA in either are left out.

        Raises:
            ValueError: the shapes differ, or a value is neither a class nor NODATA.
        """
        if reference.shape != labels.shape:
            raise ValueError(f"one shape, got {reference.shape} and {labels.shape}")
        counted = (reference != NODATA) & (labels != NODATA)
        pairs = reference[counted].astype(np.int64) * classes + labels[counted]
        for values in (reference[counted], labels[counted]):
            if values.size and int(values.max()) >= classes:
                raise ValueError(f"values are 0 to {classes - 1} or {NODATA}, got {values.max()}")
        counts = np.bincount(pairs, minlength=classes * classes)
        return cls(counts.reshape(classes, classes))

    @classmethod
    def empty(cls, classes: int) -> "ConfusionMatrix":
        return cls(np.zeros((classes, classes), np.int64))

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        return ConfusionMatrix(self.counts + other.counts)

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def overall_accuracy(self) -> float:
        """Share of correctly classified pixels; NaN for an empty matrix."""
        return _ratio(float(np.trace(self.counts)), self.total)

    @property
    def producers_accuracy(self) -> NDArray[np.float64]:
        """(classes,) recall; NaN for a class absent from the reference."""
        return _ratios(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def users_accuracy(self) -> NDArray[np.float64]:
        """(classes,) precision; NaN for a class that was never predicted."""
        return _ratios(np.diag(self.counts), self.counts.sum(axis=0))

    @property
    def iou(self) -> NDArray[np.float64]:
        """(classes,) intersection over union; NaN for a class absent from both."""
        hits = np.diag(self.counts)
        return _ratios(hits, self.counts.sum(axis=0) + self.counts.sum(axis=1) - hits)

    @property
    def normalized_accuracy(self) -> float:
        """Mean producer's accuracy over the classes of the reference."""
        return _mean_of_defined(self.producers_accuracy)

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes that occur in the reference or the prediction."""
        return _mean_of_defined(self.iou)

    @property
    def kappa(self) -> float:
        """Cohen's kappa, agreement beyond chance; NaN if chance alone explains everything."""
        shares = self.counts / max(self.total, 1)
        chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
        return _ratio(self.overall_accuracy - chance, 1 - chance)

    def metrics(self) -> Mapping[str, float]:
        """Return the paper's four metrics by name."""
        return {
            "overall_accuracy": self.overall_accuracy,
            "normalized_accuracy": self.normalized_accuracy,
            "mean_iou": self.mean_iou,
            "kappa": self.kappa,
        }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _ratios(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.full(parts.shape, np.nan)
    return np.divide(parts, wholes, out=out, where=wholes > 0)


def _mean_of_defined(values: NDArray[np.float64]) -> float:
    """Return the mean of the values that are not NaN; NaN if all are."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
