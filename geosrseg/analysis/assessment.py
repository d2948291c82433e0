"""The accuracy of a class map, from a confusion matrix and the mapped areas.

In a sample stratified by class, plain counts overrate small classes. The stratified estimators
weigh every class of the map by its mapped area: Olofsson et al. (2014),
Good practices for estimating area and assessing accuracy of land change, Remote Sensing of
Environment 148, 42-57, equations 1 to 7 and 9 to 11.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.products.area_estimate import NORMAL_95, AreaEstimate, estimate_areas


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A share with its 95 % interval.

    Attributes:
        value: 0 to 1; NaN if undefined.
        margin: half the width of the interval; NaN if the sample is too small.
    """

    value: float
    margin: float


@dataclass(frozen=True, slots=True)
class Stratified:
    """Accuracies weighted by the mapped areas.

    Attributes:
        overall: share of the mapped area that is correct.
        users: per class, share of the area mapped as the class that is the class.
        producers: per class, share of the true area that is mapped as the class.
        areas: per class, the estimated true area; None without ground areas.
    """

    overall: Accuracy
    users: tuple[Accuracy, ...]
    producers: tuple[Accuracy, ...]
    areas: tuple[AreaEstimate, ...] | None


@dataclass(frozen=True, eq=False)
class Assessment:
    """The result of a comparison with a reference.

    Attributes:
        confusion: rows reference, columns map, in the order of the legend.
        mapped: area of each class in the map.
        in_square_metres: whether `mapped` is in square metres; else it is in pixels.
        unit: what the matrix counts: ``pixels`` or ``points``.
        left_out: pixels or points that were not compared, by cause.
    """

    legend: Legend
    confusion: ConfusionMatrix
    mapped: tuple[float, ...]
    in_square_metres: bool
    unit: str
    left_out: dict[str, int]

    def stratified(self) -> Stratified | None:
        """Return accuracies weighted by area; None if a mapped class has fewer than two samples."""
        return stratify(self.confusion, self.mapped, ground=self.in_square_metres)

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values; undefined ones are None."""
        stratified = self.stratified()
        return {
            "unit": self.unit,
            "compared": self.confusion.total,
            "left_out": self.left_out,
            "classes": [self._class_json(k, stratified) for k in range(len(self.legend))],
            "confusion_matrix": {
                "rows": "reference",
                "columns": "map",
                "counts": self.confusion.counts.tolist(),
            },
            "metrics": {name: number(value) for name, value in self.confusion.metrics().items()},
            "stratified_overall_accuracy": stratified and _share(stratified.overall),
        }

    def _class_json(self, index: int, stratified: Stratified | None) -> dict[str, Any]:
        item, matrix = self.legend.classes[index], self.confusion
        found: dict[str, Any] = {
            "class_id": item.id,
            "class_name": item.name,
            "reference": int(matrix.counts[index].sum()),
            "map": int(matrix.counts[:, index].sum()),
            "producers_accuracy": number(matrix.producers_accuracy[index]),
            "users_accuracy": number(matrix.users_accuracy[index]),
            "iou": number(matrix.iou[index]),
        }
        if self.in_square_metres:
            found["mapped_hectares"] = self.mapped[index] / 1e4
        if stratified is not None:
            found["stratified_producers_accuracy"] = _share(stratified.producers[index])
            found["stratified_users_accuracy"] = _share(stratified.users[index])
            if stratified.areas is not None:
                area = stratified.areas[index]
                found["estimated_hectares"] = area.square_metres / 1e4
                found["estimated_margin_hectares"] = area.margin / 1e4
        return found


def stratify(
    confusion: ConfusionMatrix, mapped: Sequence[float], *, ground: bool = True
) -> Stratified | None:
    """Estimate accuracies from a sample with the classes of the map as strata.

    Args:
        confusion: rows reference, columns map.
        mapped: area of each class in the map, in the order of the matrix.
        ground: whether the areas are in square metres.

    Returns:
        None if a mapped class has fewer than two samples, which give no variance.
    """
    areas = np.asarray(mapped, np.float64)
    counts = confusion.counts.T.astype(np.float64)  # rows: the map's classes, the strata
    sampled = counts.sum(axis=1)
    present = areas > 0
    if not present.any() or (sampled[present] < 2).any():
        return None
    share = np.divide(counts, sampled[:, None], out=np.zeros_like(counts), where=present[:, None])
    weights = np.where(present, areas / areas.sum(), 0)
    spread = np.where(present, np.maximum(sampled - 1, 1), 1)
    right = np.diag(share)
    own = right * (1 - right) / spread  # variance of the user's accuracies
    overall = Accuracy(float(weights @ right), NORMAL_95 * math.sqrt(float(weights**2 @ own)))
    users = [
        Accuracy(float(right[k]), NORMAL_95 * math.sqrt(own[k]))
        if present[k]
        else Accuracy(math.nan, math.nan)
        for k in range(len(areas))
    ]
    return Stratified(
        overall,
        tuple(users),
        tuple(_producers(share, areas, spread, k) for k in range(len(areas))),
        estimate_areas(mapped, confusion) if ground else None,
    )


def _producers(
    share: NDArray[np.float64], areas: NDArray[np.float64], spread: NDArray[np.float64], index: int
) -> Accuracy:
    """Equation 7: the variance sums a term for the class's own stratum and one for the others."""
    column = share[:, index]
    there = float(areas @ column)
    if not there:
        return Accuracy(math.nan, math.nan)
    user = column[index]
    value = float(areas[index] * user / there)
    parts = areas**2 * column * (1 - column) / spread
    own = areas[index] ** 2 * (1 - value) ** 2 * user * (1 - user) / spread[index]
    others = value**2 * (parts.sum() - parts[index])
    return Accuracy(value, NORMAL_95 * math.sqrt(own + others) / there)


def number(value: float) -> float | None:
    """Return a number for JSON: None if undefined."""
    return float(value) if math.isfinite(value) else None


def _share(accuracy: Accuracy) -> dict[str, float | None]:
    return {"value": number(accuracy.value), "margin": number(accuracy.margin)}
