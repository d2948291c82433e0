"""Digital number -> reflectance -> model input.

Training and prediction both use `normalize_bands` with the `Normalization` stored in the
ModelSpec, so the network sees the same numbers in both.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.record import Record


@dataclass(frozen=True, slots=True)
class Radiometry:
    """Digital number to reflectance: ``reflectance = scale * DN + offset``, per band.

    Attributes:
        scale: one factor per band, not zero.
        offset: one summand per band, in reflectance.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scale) != len(self.offset) or not self.scale:
            raise ValueError(f"one scale and one offset per band, got {self}")
        if not all(math.isfinite(v) for v in self.scale + self.offset) or 0 in self.scale:
            raise ValueError(f"scales are finite and not zero, offsets are finite, got {self}")

    @classmethod
    def uniform(cls, bands: int, *, scale: float = 1.0, offset: float = 0.0) -> "Radiometry":
        return cls((float(scale),) * bands, (float(offset),) * bands)


@dataclass(frozen=True, slots=True)
class Normalization:
    """Reflectance to model input: ``(reflectance - low) / (high - low)``, clipped to [0, 1].

    Attributes:
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
        fill: model input in [0, 1] for pixels that are not valid, one per band: the mean
            over the training data, the least informative value.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    fill: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.low) == len(self.high) == len(self.fill) >= 1:
            raise ValueError(f"one low, high and fill per band, got {self}")
        if not all(math.isfinite(v) for v in self.low + self.high + self.fill):
            raise ValueError(f"low, high and fill are finite, got {self}")
        if any(high <= low for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError(f"high is above low in every band, got {self}")
        if not all(0 <= value <= 1 for value in self.fill):
            raise ValueError(f"fill is a model input in [0, 1], got {self.fill}")

    def to_json(self) -> dict[str, list[float]]:
        return {"low": list(self.low), "high": list(self.high), "fill": list(self.fill)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Normalization":
        """Read what `to_json` wrote.

        Raises:
            ValueError: a value is missing or invalid.
        """
        record = Record(values)
        return cls(record.numbers("low"), record.numbers("high"), record.numbers("fill"))


def normalize_bands(
    numbers: NDArray[np.generic],
    valid: NDArray[np.bool_],
    *,
    radiometry: Radiometry,
    normalization: Normalization,
) -> NDArray[np.float32]:
    """Turn digital numbers into model input.

    Pixels that are not valid are replaced before any arithmetic, so neither a nodata
    value nor a NaN reaches the network.

    Args:
        numbers: (bands, rows, cols) of any real dtype.
        valid: (rows, cols), True where every band is usable.

    Returns:
        (bands, rows, cols) float32 in [0, 1].
    """
    scale, offset, low, high, fill = (
        np.asarray(values, np.float64)[:, None, None]
        for values in (
            radiometry.scale,
            radiometry.offset,
            normalization.low,
            normalization.high,
            normalization.fill,
        )
    )
    gain = (scale / (high - low)).astype(np.float32)
    bias = ((offset - low) / (high - low)).astype(np.float32)
    usable = np.where(valid, numbers, 0).astype(np.float32)
    usable *= gain
    usable += bias
    np.clip(usable, 0, 1, out=usable)
    return np.where(valid, usable, fill.astype(np.float32))
