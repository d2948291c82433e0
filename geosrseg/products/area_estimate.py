"""AreaEstimate: how much of a class there is, when the map's known errors are allowed for.

A map that calls a tenth of the forest cropland shows too much cropland, and counting its
pixels repeats the error. The estimator here weighs the reference classes of a sample by the
mapped areas: Olofsson et al. (2014), Good practices for estimating area and assessing
accuracy of land change, Remote Sensing of Environment 148, 42-57, equations 9 to 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosrseg.core.confusion import ConfusionMatrix

NORMAL_95 = 1.96
"""Standard errors on either side of an estimate that hold the true value 95 times in 100."""


@dataclass(frozen=True, slots=True)
class AreaEstimate:
    """The error-adjusted area of one class.

    Attributes:
        margin: half the width of its 95 % confidence interval, in square metres.
    """

    square_metres: float
    margin: float


def estimate_areas(
    mapped: Sequence[float], confusion: ConfusionMatrix
) -> tuple[AreaEstimate, ...] | None:
    """Estimate the area of every class from its mapped area and a confusion matrix.

    The sample is taken for a random one within each class of the map. The pixels of
    validation blocks are not quite that: neighbours are alike, and the true intervals wider.

    Args:
        mapped: square metres of each class in the map, in the matrix's order.
        confusion: of the same classes; rows reference, columns prediction.

    Returns:
        One estimate a class, which together are as large as the map; None where a mapped
        class has fewer than the two sample pixels that a variance needs.
    """
    areas = np.asarray(mapped, np.float64)
    counts = confusion.counts.T.astype(np.float64)  # rows: the map's classes, the strata
    if counts.shape[0] != len(areas):
        raise ValueError(f"one area for each of {len(counts)} classes, got {len(areas)}")
    sampled, present = counts.sum(axis=1, keepdims=True), areas > 0
    if not present.any() or (sampled[present] < 2).any():
        return None
    total = areas.sum()
    weights = (areas / total)[present, None]
    shares = counts[present] / sampled[present]
    estimates = total * (weights * shares).sum(axis=0)
    variances = (weights**2 * shares * (1 - shares) / (sampled[present] - 1)).sum(axis=0)
    margins = NORMAL_95 * total * np.sqrt(variances)
    return tuple(map(AreaEstimate, estimates.tolist(), margins.tolist()))
