"""Areas: how much of a class map each class takes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA, Legend
from geosrseg.products.area_estimate import AreaEstimate, estimate_areas
from geosrseg.products.pixel_areas import PixelAreas

HECTARE = 10_000.0
"""Square metres."""


@dataclass(frozen=True, slots=True)
class ClassArea:
    """What one class takes.

    Attributes:
        pixels: in the class map.
        square_metres: on the ground; None where the map has no place on the earth.
        percent: of the valid area, or of the valid pixels where no area is known.
        estimate: the error-adjusted area, where the model says what it confuses.
    """

    id: int
    name: str
    pixels: int
    square_metres: float | None
    percent: float
    estimate: AreaEstimate | None = None

    @property
    def hectares(self) -> float | None:
        """The area in hectares."""
        return None if self.square_metres is None else self.square_metres / HECTARE

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; what is not known is null."""
        estimate = self.estimate
        return {
            "class_id": self.id,
            "class_name": self.name,
            "pixels": self.pixels,
            "hectares": self.hectares,
            "percent": self.percent,
            "adjusted_hectares": estimate and estimate.square_metres / HECTARE,
            "adjusted_margin_hectares": estimate and estimate.margin / HECTARE,
        }


@dataclass(frozen=True, slots=True)
class Areas:
    """The areas of a class map.

    Attributes:
        classes: in the legend's order, absent ones too.
        nodata_pixels: pixels of which nothing is known.
        nodata_square_metres: their area on the ground; None where it is not known.
    """

    classes: tuple[ClassArea, ...]
    nodata_pixels: int
    nodata_square_metres: float | None = None

    @property
    def pixels(self) -> int:
        """Valid pixels."""
        return sum(item.pixels for item in self.classes)

    @property
    def square_metres(self) -> float | None:
        """The valid area; None where it is not known."""
        areas = [item.square_metres for item in self.classes]
        return None if None in areas else sum(area for area in areas if area is not None)

    @property
    def hectare_decimals(self) -> int:
        """Decimals of hectares that say something: the last one is at most a pixel."""
        area = self.square_metres if self.pixels else self.nodata_square_metres
        pixels = self.pixels or self.nodata_pixels
        if not area or not pixels:
            return 0
        return max(0, math.ceil(-math.log10(area / pixels / HECTARE) - 0.01))

    def to_json(self) -> Mapping[str, Any]:
        """A plain dictionary."""
        return {
            "classes": [item.to_json() for item in self.classes],
            "nodata_pixels": self.nodata_pixels,
        }


class AreaCounter:
    """Adds up the rows of a class map.

    Args:
        pixel_areas: of the map's grid; None where it has no place on the earth.
    """

    def __init__(self, legend: Legend, pixel_areas: PixelAreas | None) -> None:
        self._legend = legend
        self._pixel_areas = pixel_areas
        self._pixels = np.zeros(256, np.int64)
        self._square_metres = np.zeros(256)

    def add(
        self,
        labels: NDArray[np.uint8],
        row_off: int,
        *,
        col_off: int = 0,
        inside: NDArray[np.bool_] | None = None,
    ) -> None:
        """Count rows of the map, each of them once and in any order.

        Args:
            labels: (rows, width) class ids or NODATA.
            row_off: row of the map that the first of them is.
            col_off: column of the map that their first column is.
            inside: (rows, width) False where a pixel is not to be counted.
        """
        cols = slice(col_off, col_off + labels.shape[1])
        for number, row in enumerate(labels):
            kept = slice(None) if inside is None else inside[number]
            self._pixels += np.bincount(row[kept], minlength=256)
            if self._pixel_areas is not None:
                weights = self._pixel_areas.row(row_off + number)[cols][kept]
                self._square_metres += np.bincount(row[kept], weights=weights, minlength=256)

    def areas(self, confusion: ConfusionMatrix | None = None) -> Areas:
        """What has been counted so far.

        Args:
            confusion: what the model confuses, by the legend's order; with it the areas are
                also estimated.
        """
        ids = list(self._legend.ids)
        known = self._pixel_areas is not None
        pixels, areas = self._pixels[ids].tolist(), self._square_metres[ids].tolist()
        total = sum(areas if known else pixels)
        estimates = estimate_areas(areas, confusion) if known and confusion else None
        return Areas(
            tuple(
                ClassArea(
                    item.id,
                    item.name,
                    pixels=pixels[k],
                    square_metres=areas[k] if known else None,
                    percent=100 * (areas[k] if known else pixels[k]) / total if total else 0.0,
                    estimate=estimates[k] if estimates else None,
                )
                for k, item in enumerate(self._legend.classes)
            ),
            nodata_pixels=int(self._pixels[NODATA]),
            nodata_square_metres=float(self._square_metres[NODATA]) if known else None,
        )
