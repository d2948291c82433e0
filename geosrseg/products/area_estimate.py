"""AreaEstimate: the area of a class, adjusted for the map's known errors.

If a map labels a tenth of the forest as cropland, counting its pixels repeats the error. The
estimator weights the reference classes of a sample by the mapped areas: Olofsson et al. (2014),
Good practices for estimating area and assessing accuracy of land change, Remote Sensing of
Environment 148, 42-57, equations 9 to 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosrseg.core.confusion import ConfusionMatrix

NORMAL_95 = 1.96
"""Half-width of a 95 % confidence interval, in standard errors."""


@dataclass(frozen=True, slots=True)
class AreaEstimate:
    """The error-adjusted area of one class.

    Attributes:
        margin: half-width of the 95 % confidence interval, in square metres.
    """

    square_metres: float
    margin: float


def estimate_areas(
    mapped: Sequence[float], confusion: ConfusionMatrix
) -> tuple[AreaEstimate, ...] | None:
    """Estimate the area of every class from its mapped area and a confusion matrix.

    The sample is assumed to be random within each class of the map. Pixels of validation blocks
    are correlated with their neighbours, so the true intervals are wider.

    Args:
        mapped: square metres of each class in the map, in the matrix's order.
        confusion: matrix of the same classes; rows reference, columns prediction.

    Returns:
        One estimate per class; together they are as large as the map. None if a mapped class has
        fewer than the two sample pixels that a variance needs.
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
