"""Class offsets: a constant per class, added to its logit, that improves the map as a whole.

Chips are drawn by class, so a network learns other shares of the classes than a scene has. One
offset per class corrects this. The offsets are added to the last bias, so the structure of
network and model file stays the same.
"""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix

STEPS = (1.0, 0.5, 0.25)
FOUND = 0.005
"""A class with a lower IoU counts as not found."""

LARGEST = 3.0
"""Largest offset; a larger one would compensate for a class that was not learned at all."""


def fit_class_offsets(
    logits: NDArray[np.float32], reference: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Find the offsets with the highest mean IoU + kappa at which every class is found.

    Mean IoU alone would favour a rare class at the expense of common ones, kappa alone would
    drop the rare class.

    Args:
        logits: (classes, pixels).
        reference: (pixels,) class indices, without NODATA.

    Returns:
        (classes,) offsets, multiples of the last step.
    """

    def score(offsets: NDArray[np.float32]) -> float:
        labels = (logits + offsets[:, None]).argmax(axis=0).astype(np.uint8)
        confusion = ConfusionMatrix.of(reference, labels, classes=len(logits))
        lost = (confusion.iou < FOUND) & present
        return float(confusion.mean_iou + np.nan_to_num(confusion.kappa) - lost.sum())

    present = np.isin(np.arange(len(logits)), reference)
    offsets = np.zeros(len(logits), np.float32)
    best = score(offsets)
    for step in STEPS:
        improved = True
        while improved:
            improved = False
            for candidate in _neighbours(offsets, step):
                if (found := score(candidate)) > best:
                    offsets, best, improved = candidate, found, True
    return offsets


def _neighbours(offsets: NDArray[np.float32], step: float) -> list[NDArray[np.float32]]:
    moves = np.concatenate([np.eye(len(offsets)), -np.eye(len(offsets))]) * step
    candidates = (offsets + moves).astype(np.float32)
    return [candidate for candidate in candidates if np.abs(candidate).max() <= LARGEST]
