"""Source scores: what a network does on every source of the validation data, and in all.

A dataset without sources has the figures of `metrics_of`. One with sources has them for each
of them (``cities/mean_iou``), for the pixels of all whose labels lie on the LR grid (``lr/``)
and of all whose labels lie on the target grid (``target/``). The figures without a name before
them are the means of these two: ``mean_iou``, by which the best epoch is chosen, is as much
about the world at the LR resolution as about detail.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from torch import Tensor

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.training.validating.evaluation_windows import EvaluationWindow
from geosrseg.training.validating.validation_scores import Evaluation

LR, TARGET = "lr", "target"
"""Names of the two grids in the figures."""


class SourceScores:
    """Counts windows of any source.

    Args:
        temperature: divides the logits before they become probabilities.
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
        """That of the target grid, or of the LR grid where nothing else has labels."""
        grids = self._grids()
        pooled = grids.get(TARGET) or grids.get(LR)
        return pooled.confusion if pooled else ConfusionMatrix.empty(len(self._legend))

    @property
    def psnr(self) -> float:
        """Of the SR image, over all sources that have a native one."""
        grids = self._grids()
        return grids[TARGET].psnr if TARGET in grids else math.nan

    @property
    def calibration_error(self) -> float:
        """The mean of those of the two grids."""
        return _mean(done.calibration_error for done in self._grids().values())

    def metrics(self) -> dict[str, float]:
        """All figures by name."""
        grids = self._grids()
        if {source for source, _ in self._found} <= {""}:
            whole = grids.get(TARGET) or Evaluation(ConfusionMatrix.empty(len(self._legend)))
            return metrics_of(whole, self._legend)
        named = {source: done for (source, _), done in sorted(self._found.items())} | grids
        figures = {name: _figures(done, self._legend) for name, done in named.items()}
        pooled = [figures[grid] for grid in grids]
        return {
            **{f"{name}/{key}": v for name, own in figures.items() for key, v in own.items()},
            **{key: _mean(own[key] for own in pooled) for key in pooled[0] if key != "psnr"},
            "psnr": self.psnr,
        }

    def _grids(self) -> dict[str, Evaluation]:
        """All sources of a grid together."""
        grids: dict[str, Evaluation] = {}
        for (_, grid), done in self._found.items():
            grids[grid] = grids[grid] + done if grid in grids else done
        return grids


def metrics_of(done: Evaluation, legend: Legend) -> dict[str, float]:
    """All that an evaluation measured: ``mean_iou``, ``iou_<class id>``, ``psnr``, ..."""
    ious = zip(legend.ids, done.confusion.iou, strict=True)
    per_class = {f"iou_{number}": float(iou) for number, iou in ious}
    return {**done.confusion.metrics(), **per_class, "psnr": done.psnr}


def _figures(done: Evaluation, legend: Legend) -> Mapping[str, float]:
    return {**metrics_of(done, legend), "calibration_error": done.calibration_error}


def _mean(values: Iterable[float]) -> float:
    """The mean of those that are numbers."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan
