"""Validation scores: the sums behind the metrics of a split, added window by window."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.training.validating.calibration import CalibrationCounts
from geosrseg.training.validating.evaluation_windows import EvaluationWindow


@dataclass
class Evaluation:
    """Sums over the windows added so far.

    Attributes:
        confusion: rows reference, columns prediction.
        squared_error: sum over the bands of all counted pixels of the SR image.
        values: number of values in `squared_error`.
        temperature: number that divides the logits before the softmax.
    """

    confusion: ConfusionMatrix
    squared_error: float = 0.0
    values: int = 0
    calibration: CalibrationCounts = field(default_factory=CalibrationCounts)
    temperature: float = 1.0

    def add(self, window: EvaluationWindow, *, sr: Tensor, logits: Tensor) -> None:
        """Count the pixels of a window's core that have a class.

        Labels on the LR grid are compared with the mean of the probabilities over their pixel.
        Such a window has no native image to compare the SR image with.

        Args:
            sr: (bands, s·H, s·W) of the whole window.
            logits: (classes, s·H, s·W).
        """
        core = window.core
        probabilities = (logits[:, core.rows, core.cols].float() / self.temperature).softmax(0)
        if window.label_pixels > 1:
            probabilities = F.avg_pool2d(probabilities, window.label_pixels)
        confidence, best = (values.numpy() for values in probabilities.max(0))
        target, labels = window.target.numpy(), best.astype(np.uint8)
        classes = self.confusion.counts.shape[0]
        self.confusion += ConfusionMatrix.of(target, labels, classes=classes)
        counted = target != NODATA
        right = labels[counted] == target[counted]
        self.calibration += CalibrationCounts.of(confidence[counted], right)
        if window.label_pixels == 1:
            difference = (sr[:, core.rows, core.cols].float() - window.hr)[:, counted]
            self.squared_error += float(difference.square().sum())
            self.values += difference.numel()

    def __add__(self, other: "Evaluation") -> "Evaluation":
        return Evaluation(
            self.confusion + other.confusion,
            self.squared_error + other.squared_error,
            self.values + other.values,
            self.calibration + other.calibration,
            self.temperature,
        )

    @property
    def psnr(self) -> float:
        """10·log10(1 / MSE) of the SR image in normalized reflectance, in dB.

        Over the counted pixels of all bands; infinite if SR equals HR, NaN without pixels.
        """
        if not self.values:
            return math.nan
        mse = self.squared_error / self.values
        return 10 * math.log10(1 / mse) if mse else math.inf
