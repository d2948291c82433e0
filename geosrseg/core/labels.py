"""Labels: which class a pixel is most likely to be, and how sure that is."""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA

STRIP = 32
"""Rows that are gone through at once, so that they stay in the processor's cache."""

CERTAIN = 100
"""Confidence, or doubt, of 100 %."""


def best_class(
    probabilities: NDArray[np.float32],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The most likely class of each pixel, the first if several are, and its probability.

    Args:
        probabilities: (classes, rows, cols).

    Returns:
        (rows, cols) class indices, and (rows, cols) probabilities.
    """
    labels = np.zeros(probabilities.shape[1:], np.uint8)
    best = probabilities[0].copy()
    higher = np.empty((STRIP, probabilities.shape[2]), np.bool_)
    for top in range(0, len(labels), STRIP):
        strip = slice(top, top + STRIP)
        strip_best = best[strip]
        for index, candidate in enumerate(probabilities[1:, strip], start=1):
            found = np.greater(candidate, strip_best, out=higher[: len(strip_best)])
            np.copyto(labels[strip], np.uint8(index), where=found)
            np.maximum(strip_best, candidate, out=strip_best)
    return labels, best


def percent(
    probabilities: NDArray[np.float32], best: NDArray[np.float32], *, temperature: float
) -> NDArray[np.uint8]:
    """The confidence in the best class, in percent.

    With a temperature T it is the softmax of the logits divided by T (Guo, Pleiss, Sun,
    Weinberger: On calibration of modern neural networks, ICML 2017). Of the logits only
    the probabilities are known, and those are enough: it is p^(1/T) over the sum of them.

    Args:
        probabilities: (classes, rows, cols).
        best: (rows, cols), the largest of them.
        temperature: T, above 0; 1 leaves the probabilities as they are.

    Returns:
        (rows, cols) 0 to 100.
    """
    if temperature == 1:
        share = best
    else:
        total = np.zeros_like(best)
        for candidate in probabilities:
            total += np.power(candidate / best, np.float32(1 / temperature))
        share = np.reciprocal(total, out=total)
    return np.clip(np.rint(share * CERTAIN), 0, CERTAIN).astype(np.uint8)


def doubt(distance: NDArray[np.int32], *, reach: int) -> NDArray[np.uint8]:
    """How much of the way that the model looks lies behind an unknown pixel, in percent.

    Args:
        distance: (rows, cols) LR pixels to the nearest unknown pixel; 1 if that is a neighbour.
        reach: LR pixels around a pixel that may sway its label.

    Returns:
        (rows, cols) 100 beside an unknown pixel, 0 where all within reach is known. It falls
        evenly in between, and is rounded up, so that 0 stands for that alone.
    """
    behind = np.clip(reach + 1 - distance, 0, reach)
    return (-(-behind * CERTAIN // max(reach, 1))).astype(np.uint8)


def fractions(labels: NDArray[np.uint8], *, classes: int, factor: int) -> NDArray[np.float32]:
    """What share of each source pixel each class takes.

    Args:
        labels: (factor * rows, factor * cols) class indices; NODATA counts for no class.
        classes: their number.
        factor: the upscale factor.

    Returns:
        (classes, rows, cols) shares of its mapped part, which sum to 1; NaN where a source
        pixel has none.
    """
    rows, cols = (length // factor for length in labels.shape)
    blocks = labels.reshape(rows, factor, cols, factor)
    shares = np.empty((classes, rows, cols), np.float32)
    for index in range(classes):
        shares[index] = (blocks == index).sum(axis=(1, 3), dtype=np.uint16)
    mapped = (blocks != NODATA).sum(axis=(1, 3), dtype=np.uint16)
    shares /= np.where(mapped, mapped, np.nan).astype(np.float32)
    return shares
