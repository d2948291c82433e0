"""Conventions by which products store reflectance, and which of them a scene's numbers fit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.domain import LEVELS
from geosrseg.core.normalize import Radiometry
from geosrseg.core.spec import ModelSpec
from geosrseg.raster.header.plausibility import (
    LEAST_SHARE,
    implausible,
    is_reflectance,
    vegetation_share,
)

_COMPARED = [LEVELS.index(level) for level in (0.05, 0.5, 0.95)]
_SHARES = [LEVELS[index] for index in _COMPARED]

_GENERAL = (0.05, 0.35, 0.9)
"""Quantiles assumed for a model that states none, from 0 at its low to 1 at its high."""

FITS = 2.5
"""Largest misfit of a convention that fits, in ranges of a band; see `misfit`."""

ALIKE, RELATED = 1.25, 3.0
"""Factors by which a convention may fit worse than the best and still be the right one: any
convention, and one with similar numbers."""

LEAST_WITH_OFFSET = 0.095
"""Reflectance that nearly all pixels exceed where an offset of 0.1 was not subtracted."""


@dataclass(frozen=True, slots=True)
class Convention:
    """Reflectance = scale · digital number + offset; `name` says who stores it so."""

    scale: float
    offset: float
    name: str

    @property
    def option(self) -> str:
        """The options that state this convention."""
        scale = np.format_float_positional(self.scale, trim="-", precision=17)
        return f"`scale` {scale}" + (f" `offset` {self.offset:g}" if self.offset else "")

    def radiometry(self, bands: int) -> Radiometry:
        """The convention for every band."""
        return Radiometry.uniform(bands, scale=self.scale, offset=self.offset)

    def reflectance(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The reflectance of digital numbers."""
        return np.asarray(values, np.float64) * self.scale + self.offset

    def is_of(self, scale: float, offset: float) -> bool:
        """Whether a scale and an offset are those of this convention."""
        return abs(scale / self.scale - 1) < 0.01 and abs(offset - self.offset) < 0.005


PLAIN = Convention(1.0, 0.0, "reflectance as it is")
TEN_THOUSANDTHS = Convention(1e-4, 0.0, "reflectance times 10000")
SENTINEL_2 = Convention(1e-4, -0.1, "Sentinel-2 Level 2A since 2022")
COLLECTION_2 = Convention(2.75e-5, -0.2, "Landsat Collection 2 Level 2")
PERCENT = Convention(0.01, 0.0, "percent")
EIGHT_BITS = Convention(1 / 255, 0.0, "8-bit images (1/255)")
FIVE_HUNDREDTHS = Convention(0.002, 0.0, "reflectance times 500")
CONVENTIONS = (
    PLAIN,
    TEN_THOUSANDTHS,
    SENTINEL_2,
    COLLECTION_2,
    PERCENT,
    EIGHT_BITS,
    FIVE_HUNDREDTHS,
)
_KINDS = ({TEN_THOUSANDTHS, SENTINEL_2}, {PERCENT, EIGHT_BITS, FIVE_HUNDREDTHS})
"""Conventions with similar numbers."""


def misfit(values: NDArray[np.generic], spec: ModelSpec, radiometry: Radiometry) -> float:
    """Mean distance of (bands, pixels) digital numbers from training data, in ranges of a band."""
    found = np.quantile(values.astype(np.float64), _SHARES, axis=1).T
    found = found * np.array(radiometry.scale)[:, None] + np.array(radiometry.offset)[:, None]
    expected = _expected(spec)
    spread = expected[:, -1:] - expected[:, :1]
    return float((np.abs(found - expected) / np.maximum(spread, 1e-6)).mean())


def best_convention(values: NDArray[np.generic], spec: ModelSpec) -> Convention | None:
    """The convention that fits the model's training data best; None where none fits."""
    fitting = fitting_conventions(values, spec)
    return fitting[0] if fitting else None


def fitting_conventions(values: NDArray[np.generic], spec: ModelSpec) -> tuple[Convention, ...]:
    """The convention that fits (bands, pixels) digital numbers best, and up to two similar ones."""
    scored = [
        (misfit(values, spec, each.radiometry(len(values))), each)
        for each in CONVENTIONS
        if _may_be(each, values, spec)
    ]
    fitting = [pair for pair in scored if pair[0] <= FITS]
    if not fitting:
        return ()
    least, best = min(fitting, key=lambda pair: pair[0] * _oddity(pair[1], values.dtype))
    second = [
        each
        for score, each in sorted(fitting, key=lambda pair: pair[0])
        if each is not best
        and score < least * (RELATED if any({best, each} <= kind for kind in _KINDS) else ALIKE)
    ]
    return (best, *second[:2])


def _oddity(convention: Convention, dtype: np.dtype[np.generic]) -> float:
    """Factor on the misfit where this convention is unusual for the type of numbers."""
    usual = {PERCENT: dtype.kind == "f", EIGHT_BITS: dtype.itemsize == 1}
    return 1.0 if usual.get(convention, True) else 2.0


def has_offset_of_sentinel_2(reflectance: NDArray[np.floating], spec: ModelSpec) -> bool:
    """Whether numbers divided by 10000 still include the offset of 0.1: green, but nowhere dark.

    Args:
        reflectance: (bands, pixels) without an offset.
    """
    if not is_reflectance(spec) or np.quantile(reflectance, 0.01) < LEAST_WITH_OFFSET:
        return False
    return vegetation_share(reflectance - 0.1, spec.bands) >= LEAST_SHARE


def _may_be(convention: Convention, values: NDArray[np.generic], spec: ModelSpec) -> bool:
    """Whether the numbers can be stored so and are then plausible reflectances."""
    if values.dtype.itemsize == 1 and convention not in (PLAIN, PERCENT, EIGHT_BITS):
        return False
    if not is_reflectance(spec):
        return True
    if convention in (TEN_THOUSANDTHS, SENTINEL_2):
        without_offset = TEN_THOUSANDTHS.reflectance(values)
        if convention is TEN_THOUSANDTHS:
            is_other = has_offset_of_sentinel_2(without_offset, spec)
        else:
            is_other = bool(np.quantile(without_offset, 0.01) < LEAST_WITH_OFFSET)
        if is_other:
            return False
    return not implausible(convention.reflectance(values), spec.bands)


def advice(values: NDArray[np.generic], spec: ModelSpec) -> str:
    """Which convention would fit, and its options; empty where none does."""
    best, *others = fitting_conventions(values, spec) or (None,)
    if best is None:
        return ""
    also = "".join(f"; or, for {each.name}, {each.option}" for each in others)
    return f"fit {best.name}: {best.option}{also}"


def _expected(spec: ModelSpec) -> NDArray[np.float64]:
    """(bands, quantiles) reflectance of the training data."""
    if spec.domain.quantiles:
        return np.array(spec.domain.quantiles)[:, _COMPARED]
    low, high = np.array(spec.normalization.low), np.array(spec.normalization.high)
    return low[:, None] + np.outer(high - low, _GENERAL)
