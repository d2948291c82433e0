"""Temperature: one number that divides all logits so that confidence matches accuracy.

It does not change any label of a map. A label on the LR grid comes from mean probabilities, and may
change; see `training.validating.calibration`.
"""

import math
from collections.abc import Callable

from scipy.optimize import minimize_scalar

LOWEST, HIGHEST = 0.05, 20.0


def search_temperature(loss: Callable[[float], float]) -> float:
    """Find the temperature with the smallest loss, which has a single minimum."""
    found = minimize_scalar(
        lambda power: loss(math.exp(power)),
        bounds=(math.log(LOWEST), math.log(HIGHEST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return math.exp(found.x)
