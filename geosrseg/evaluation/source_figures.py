"""Computes a model's figures for each source of a dataset and each grid of labels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.evaluation.evaluation_area import EvaluationArea
from geosrseg.evaluation.measurement import Measurement
from geosrseg.training.validating.calibration import CalibrationCounts


@dataclass(frozen=True, slots=True, eq=False)
class SourceFigures:
    """A model's figures on some areas, with pixels counted on the grid of their labels.

    Attributes:
        confusion: rows reference, columns prediction.
        calibration: counts of confidence against correctness.
    """

    confusion: ConfusionMatrix
    calibration: CalibrationCounts

    def __add__(self, other: "SourceFigures") -> "SourceFigures":
        return SourceFigures(self.confusion + other.confusion, self.calibration + other.calibration)

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values; NaN and infinity become None."""
        metrics = {**self.confusion.metrics(), "calibration_error": self.calibration.error}
        return {
            "pixels": self.confusion.total,
            **{name: finite(value) for name, value in metrics.items()},
            "iou": [finite(float(value)) for value in self.confusion.iou],
            "counts": self.confusion.counts.tolist(),
        }


def measure_sources(
    areas: Sequence[EvaluationArea], measurements: Sequence[Measurement]
) -> Mapping[str, SourceFigures]:
    """Return figures by source, and for all labels on the ``lr`` and the ``target`` grid.

    Labels on the LR grid are compared with the mean probabilities over their pixel.

    Returns:
        Empty for a dataset without sources.
    """
    found: dict[str, SourceFigures] = {}
    for area, done in zip(areas, measurements, strict=True):
        if not area.scene.source_name:
            return {}
        own = SourceFigures(done.scores.matrix(), done.calibration)
        for name in ("lr" if area.scene.is_lr else "target", area.scene.source_name):
            found[name] = found[name] + own if name in found else own
    return found


def finite(value: float) -> float | None:
    """Return the value, or None if it is NaN or infinite."""
    return value if math.isfinite(value) else None
