"""Source scores: the validation metrics of every source, and of all sources together.

A dataset without sources has the metrics of `metrics_of`. One with sources has them for each
source (``cities/mean_iou``), for all sources labelled on the LR grid (``lr/``) and for all
labelled on the target grid (``target/``). Metrics without a prefix are the means of the two
grids, so that ``mean_iou``, which selects the best epoch, weighs LR labels and detail equally.
"""

import math
from collections.abc import Iterable

import numpy as np
from torch import Tensor

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.training.validating.evaluation_windows import EvaluationWindow
from geosrseg.training.validating.validation_scores import Evaluation

LR, TARGET = "lr", "target"
"""Prefixes of the two grids in the names of metrics."""


class SourceScores:
    """Scores windows of any source.

    Args:
        temperature: number that divides the logits before the softmax.
    """

    def __init__(self, legend: Legend, *, temperature: float = 1.0) -> None:
        self._legend = legend
        self._temperature = temperature
        self._found: dict[tuple[str, str], Evaluation] = {}

    def add(self, window: EvaluationWindow, *, sr: Tensor, logits: Tensor) -> None:
        """Count a window, see `Evaluation.add`."""
        key = (window.source, TARGET if window.label_pixels == 1 else LR)
        if key not in self._found:
            empty = ConfusionMatrix.empty(len(self._legend))
            self._found[key] = Evaluation(empty, temperature=self._temperature)
        self._found[key].add(window, sr=sr, logits=logits)

    @property
    def confusion(self) -> ConfusionMatrix:
        """Confusion matrix on the target grid, or on the LR grid if there are only LR labels."""
        grids = self._grids()
        pooled = grids.get(TARGET) or grids.get(LR)
        return pooled.confusion if pooled else ConfusionMatrix.empty(len(self._legend))

    @property
    def psnr(self) -> float:
        """PSNR of the SR image over all sources with native images; NaN without any."""
        grids = self._grids()
        return grids[TARGET].psnr if TARGET in grids else math.nan

    @property
    def calibration_error(self) -> float:
        """Mean calibration error of the two grids."""
        return _mean(done.calibration.error for done in self._grids().values())

    def metrics(self) -> dict[str, float]:
        grids = self._grids()
        if {source for source, _ in self._found} <= {""}:
            whole = grids.get(TARGET) or Evaluation(ConfusionMatrix.empty(len(self._legend)))
            return metrics_of(whole, self._legend)
        named = {source: done for (source, _), done in sorted(self._found.items())} | grids
        figures = {
            name: metrics_of(done, self._legend) | {"calibration_error": done.calibration.error}
            for name, done in named.items()
        }
        pooled = [figures[grid] for grid in grids]
        return {
            **{f"{name}/{key}": v for name, own in figures.items() for key, v in own.items()},
            **{key: _mean(own[key] for own in pooled) for key in pooled[0] if key != "psnr"},
            "psnr": self.psnr,
        }

    def _grids(self) -> dict[str, Evaluation]:
        """Add up the sources of each grid."""
        grids: dict[str, Evaluation] = {}
        for (_, grid), done in self._found.items():
            grids[grid] = grids[grid] + done if grid in grids else done
        return grids


def metrics_of(done: Evaluation, legend: Legend) -> dict[str, float]:
    """Compute the metrics of an evaluation: ``mean_iou``, ``iou_<class id>``, ``psnr``, ..."""
    ious = zip(legend.ids, done.confusion.iou, strict=True)
    per_class = {f"iou_{number}": float(iou) for number, iou in ious}
    return {**done.confusion.metrics(), **per_class, "psnr": done.psnr}


def _mean(values: Iterable[float]) -> float:
    """Compute the mean, ignoring NaN; NaN if there is nothing else."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
