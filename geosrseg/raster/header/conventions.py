"""Conventions: how products store reflectance, and which of them a scene's numbers fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.domain import LEVELS
from geosrseg.core.spec import ModelSpec

_COMPARED = [LEVELS.index(level) for level in (0.05, 0.5, 0.95)]
_SHARES = [LEVELS[index] for index in _COMPARED]

_GENERAL = (0.05, 0.35, 0.9)
"""Where these shares lie between low and high of a model that does not say what it saw."""

FITS = 2.5
"""Ranges of a band by which its quantiles may be off, on average."""


@dataclass(frozen=True, slots=True)
class Convention:
    """Reflectance = scale · number + offset.

    Attributes:
        scale: reflectance per digital number.
        offset: reflectance of the digital number 0.
        name: who stores it so.
    """

    scale: float
    offset: float
    name: str

    @property
    def option(self) -> str:
        """The options that say it."""
        scale = np.format_float_positional(self.scale, trim="-", precision=17)
        return f"`scale` {scale}" + (f" `offset` {self.offset:g}" if self.offset else "")

    def is_of(self, scale: float, offset: float) -> bool:
        """These are its numbers."""
        return abs(scale / self.scale - 1) < 0.01 and abs(offset - self.offset) < 0.005


PLAIN = Convention(1.0, 0.0, "reflectance as it is")
TEN_THOUSANDTHS = Convention(1e-4, 0.0, "reflectance times 10000")
SENTINEL_2 = Convention(1e-4, -0.1, "Sentinel-2 Level 2A since 2022")
COLLECTION_2 = Convention(2.75e-5, -0.2, "Landsat Collection 2 Level 2")
PERCENT = Convention(0.01, 0.0, "percent")
EIGHT_BITS = Convention(1 / 255, 0.0, "images of 8 bits (1/255)")
CONVENTIONS = (
    PLAIN,
    TEN_THOUSANDTHS,
    SENTINEL_2,
    COLLECTION_2,
    PERCENT,
    EIGHT_BITS,
    Convention(0.002, 0.0, "reflectance times 500"),
)


def misfit(
    values: NDArray[np.generic], spec: ModelSpec, scale: Sequence[float], offset: Sequence[float]
) -> float:
    """How far reflectances are from what a model learned from, in ranges of a band.

    Args:
        values: (bands, pixels) digital numbers.
        spec: of the model.
        scale: of each band.
        offset: of each band.
    """
    found = np.quantile(values.astype(np.float64), _SHARES, axis=1).T
    found = found * np.asarray(scale)[:, None] + np.asarray(offset)[:, None]
    expected = _expected(spec)
    spread = expected[:, -1:] - expected[:, :1]
    return float((np.abs(found - expected) / np.maximum(spread, 1e-6)).mean())


def best_convention(values: NDArray[np.generic], spec: ModelSpec) -> Convention | None:
    """The convention that gives what the model learned from; None where none does."""
    bands = len(values)
    scored = [
        (misfit(values, spec, (each.scale,) * bands, (each.offset,) * bands), each)
        for each in CONVENTIONS
        if values.dtype.itemsize > 1 or each in (PLAIN, PERCENT, EIGHT_BITS)
    ]
    least, best = min(scored, key=lambda pair: pair[0])
    return best if least <= FITS else None


def _expected(spec: ModelSpec) -> NDArray[np.float64]:
    """(bands, shares) reflectance."""
    if spec.domain.quantiles:
        return np.array(spec.domain.quantiles)[:, _COMPARED]
    low, high = np.array(spec.normalization.low), np.array(spec.normalization.high)
    return low[:, None] + np.outer(high - low, _GENERAL)
