"""Domain: the scenes that a model learned from, to recognise scenes unlike them."""

import itertools
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from geosrseg.core.text.plain_text import check_text
from geosrseg.core.text.record import Record

LEVELS = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
"""Share of the training pixels below each quantile of a band."""

SURFACE, TOP_OF_ATMOSPHERE, BOTH = "surface", "top of atmosphere", "both"
REFLECTANCES = (SURFACE, TOP_OF_ATMOSPHERE, BOTH)

TOLERANCE = 0.25
"""Largest relative difference between a scene's resolution and one that the model is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The images that a model learned from; every field may be unknown.

    Attributes:
        resolution: pixel size of the LR images in metres; None if unknown.
        offered: further pixel sizes in metres that the model is meant for, although it did
            not learn from them.
        reflectance: one of `REFLECTANCES`; empty if unknown or without a unit.
        sensors: sensors of the LR images.
        region: where the images were taken, in words.
        dates: when the images were taken, in words.
        quantiles: reflectance of the LR images at the shares `LEVELS`, for each band.
        means: mean reflectance of each band.
        shares: largest share of each class in one image; empty if unknown.
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
        """Every resolution in metres that the model is meant for, the learned one first."""
        learned = () if self.resolution is None else (self.resolution,)
        return learned + self.offered

    def learned_from(self, resolution: float) -> bool:
        """Whether the LR images had about this pixel size in metres, or an unknown one."""
        return self.resolution is None or _is_near(resolution, self.resolution)

    def is_offered_for(self, resolution: float) -> bool:
        """Whether the model is meant for scenes of this pixel size in metres."""
        return any(_is_near(resolution, each) for each in self.resolutions)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON holds them, with lists for tuples."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Domain":
        """Read what `to_json` wrote; missing fields are unknown.

        Raises:
            ValueError: a value is invalid.
        """
        record = Record({**cls().to_json(), **values})
        is_unknown = record.values["resolution"] is None
        return cls(
            resolution=None if is_unknown else record.number("resolution", default=0.0),
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
"""Domain of a model that does not state it."""


def _check_quantiles(band: tuple[float, ...]) -> None:
    if len(band) != len(LEVELS) or not all(map(math.isfinite, band)):
        raise ValueError(f"a band has {len(LEVELS)} finite quantiles, got {band}")
    if any(later < earlier for earlier, later in itertools.pairwise(band)):
        raise ValueError(f"quantiles do not fall, got {band}")


def _is_near(resolution: float, other: float) -> bool:
    return abs(resolution / other - 1) <= TOLERANCE
