"""Evaluation: what one model did on one split, as counts that add up over windows."""

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.training.evaluation_windows import EvaluationWindow


@dataclass
class Evaluation:
    """Sums over the windows counted so far.

    Attributes:
        confusion: rows reference, columns prediction.
        squared_error: summed over the bands and pixels of the SR image that were counted.
        values: number of those values.
    """

    confusion: ConfusionMatrix
    squared_error: float = 0.0
    values: int = 0

    def add(self, window: EvaluationWindow, *, sr: Tensor, probabilities: Tensor) -> None:
        """Count the core of a window, where its reference has a class.

        Args:
            window: what was run.
            sr: (bands, s·H, s·W) of the whole window.
            probabilities: (classes, s·H, s·W), or any scores of the same order.
        """
        core = window.core
        labels = probabilities[:, core.rows, core.cols].argmax(0).numpy().astype(np.uint8)
        target = window.target.numpy()
        classes = self.confusion.counts.shape[0]
        self.confusion += ConfusionMatrix.of(target, labels, classes=classes)
        counted = window.target != NODATA
        difference = (sr[:, core.rows, core.cols].float() - window.hr)[:, counted]
        self.squared_error += float(difference.square().sum())
        self.values += difference.numel()

    @property
    def psnr(self) -> float:
        """10·log10(1 / MSE) of the SR image in normalized reflectance, in dB.

        Over the counted pixels of all bands; infinite where SR equals HR.
        """
        if not self.values:
            return math.nan
        mse = self.squared_error / self.values
        return 10 * math.log10(1 / mse) if mse else math.inf
