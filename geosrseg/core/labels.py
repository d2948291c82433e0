"""Labels from probabilities, and how reliable they are."""

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA

STRIP = 32
"""Rows processed at once, so that they stay in the processor's cache."""

CERTAIN = 100
"""Value for a confidence or a doubt of 100 %."""


def best_class(
    probabilities: NDArray[np.float32],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the most likely class of each pixel, the first of equals, and its probability.

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
    """Return the confidence in the best class, in percent.

    With a temperature T this is the softmax of the logits divided by T (Guo, Pleiss, Sun,
    Weinberger: On calibration of modern neural networks, ICML 2017). The probabilities p
    suffice to compute it: p^(1/T) divided by the sum of all p^(1/T).

    Args:
        probabilities: (classes, rows, cols).
        best: (rows, cols) probability of the best class.
        temperature: T, above 0; 1 leaves the probabilities unchanged.

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
    """Return which part of a pixel's reach lies beyond the nearest unknown pixel, in percent.

    Args:
        distance: (rows, cols) LR pixels to the nearest unknown pixel; 1 for a neighbour.
        reach: LR pixels around a pixel that may influence its label.

    Returns:
        (rows, cols) 100 beside an unknown pixel, 0 if everything within reach is known. In
        between it falls linearly and is rounded up, so that 0 has no other meaning.
    """
    behind = np.clip(reach + 1 - distance, 0, reach)
    return (-(-behind * CERTAIN // max(reach, 1))).astype(np.uint8)


def fractions(labels: NDArray[np.uint8], *, classes: int, factor: int) -> NDArray[np.float32]:
    """Return the share of each class in each source pixel.

    Args:
        labels: (factor * rows, factor * cols) class indices; NODATA counts for no class.
        classes: number of classes.
        factor: the upscale factor.

    Returns:
        (classes, rows, cols) shares of a pixel's mapped part, which sum to 1; NaN if a pixel
        has no mapped part.
    """
    rows, cols = (length // factor for length in labels.shape)
    blocks = labels.reshape(rows, factor, cols, factor)
    shares = np.empty((classes, rows, cols), np.float32)
    for index in range(classes):
        shares[index] = (blocks == index).sum(axis=(1, 3), dtype=np.uint16)
    mapped = (blocks != NODATA).sum(axis=(1, 3), dtype=np.uint16)
    shares /= np.where(mapped, mapped, np.nan).astype(np.float32)
    return shares
