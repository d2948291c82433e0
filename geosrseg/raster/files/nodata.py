"""Tells numbers from the values that mark missing pixels."""

import math

import numpy as np
from numpy.typing import NDArray


def is_number(band: NDArray[np.generic], nodata: float | None) -> NDArray[np.bool_]:
    """True for finite values other than nodata.

    Tags hold nodata as decimal text, often with six digits, so floating-point values are compared
    with a tolerance.
    """
    if band.dtype.kind != "f":
        return np.ones(band.shape, np.bool_) if nodata is None else band != nodata
    valid: NDArray[np.bool_] = np.isfinite(band)
    if nodata is not None and math.isfinite(nodata):
        valid &= ~(np.abs(np.subtract(band, nodata, dtype=np.float64)) <= 5e-6 * abs(nodata))
    return valid
