"""Domain: the scenes that a model learned from, so that others can be told apart."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

from geosrseg.core.text.plain_text import check_text
from geosrseg.core.text.record import Record

LEVELS = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
"""Shares of the training pixels below each quantile of a band."""

SURFACE, TOP_OF_ATMOSPHERE, BOTH = "surface", "top of atmosphere", "both"
REFLECTANCES = (SURFACE, TOP_OF_ATMOSPHERE, BOTH)
"""Kinds of reflectance that a model may have learned from."""

TOLERANCE = 0.25
"""How far a scene's resolution may be from one that the model is offered for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a model learned from; every part may be unknown.

    Attributes:
        resolution: metres of a pixel of the LR images; None where unknown.
        offered: further resolutions of scenes, in metres, that the model is meant for
            although it did not learn from them.
        reflectance: one of `REFLECTANCES`; empty where unknown or where it has no unit.
        sensors: that took the LR images.
        region: where they were taken, in words.
        dates: when, in words.
        quantiles: reflectance of the LR images at the shares `LEVELS`, for each band.
        means: mean reflectance of each band.
        shares: the largest share that each class has in one image; empty where unknown.
    """

    resolution: float | None = None
    offered: tuple[float, ...] = ()
    reflectance: str = ""
    sensors: tuple[str, ...] = ()
    region: str = ""
    dates: str = ""
    quantiles: tuple[tuple[float, ...], ...] = ()
    means: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for value in self.resolutions:
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"a resolution is a number of metres above 0, got {value}")
        if self.reflectance and self.reflectance not in REFLECTANCES:
            raise ValueError(
                f"the reflectance is {', '.join(REFLECTANCES)} or unknown, got {self.reflectance!r}"
            )
        for text in (self.region, self.dates):
            check_text(text, "region or dates", lines=True)
        for text in self.sensors:
            check_text(text, "the name of a sensor")
        if len(self.quantiles) != len(self.means):
            raise ValueError(f"{len(self.quantiles)} bands of quantiles, {len(self.means)} means")
        for band in self.quantiles:
            _check_quantiles(band)
        if not all(map(math.isfinite, self.means)):
            raise ValueError(f"means are finite, got {self.means}")
        if not all(0 <= share <= 1 for share in self.shares):
            raise ValueError(f"shares of classes are 0 to 1, got {self.shares}")

    @property
    def resolutions(self) -> tuple[float, ...]:
        """Every resolution that the model is meant for, the learned one first."""
        learned = () if self.resolution is None else (self.resolution,)
        return learned + self.offered

    def learned_from(self, resolution: float) -> bool:
        """The LR images had pixels of about so many metres, or it is not known."""
        return self.resolution is None or _is_near(resolution, self.resolution)

    def is_offered_for(self, resolution: float) -> bool:
        """The model is meant for scenes with pixels of so many metres."""
        return any(_is_near(resolution, each) for each in self.resolutions)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "resolution": self.resolution,
            "offered": list(self.offered),
            "reflectance": self.reflectance,
            "sensors": list(self.sensors),
            "region": self.region,
            "dates": self.dates,
            "quantiles": [list(band) for band in self.quantiles],
            "means": list(self.means),
            "shares": list(self.shares),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Domain":
        """Read what `to_json` wrote; what is missing is unknown.

        Raises:
            ValueError: a value is wrong.
        """
        record = Record({**cls().to_json(), **values})
        return cls(
            resolution=None
            if record.values["resolution"] is None
            else record.number("resolution", default=0.0),
            offered=record.numbers("offered"),
            reflectance=record.text("reflectance"),
            sensors=record.texts("sensors"),
            region=record.text("region"),
            dates=record.text("dates"),
            quantiles=record.rows("quantiles"),
            means=record.numbers("means"),
            shares=record.numbers("shares"),
        )


UNKNOWN = Domain()
"""Of a model that does not say what it learned from."""


def _check_quantiles(band: tuple[float, ...]) -> None:
    if len(band) != len(LEVELS) or not all(map(math.isfinite, band)):
        raise ValueError(f"a band has {len(LEVELS)} finite quantiles, got {band}")
    if any(later < earlier for earlier, later in itertools.pairwise(band)):
        raise ValueError(f"quantiles do not fall, got {band}")


def _is_near(resolution: float, other: float) -> bool:
    """Within `TOLERANCE` of the other one."""
    return abs(resolution / other - 1) <= TOLERANCE
