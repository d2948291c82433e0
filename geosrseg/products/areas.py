"""Areas: the area of each class in a class map."""

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
    """The area of one class.

    Attributes:
        square_metres: area on the ground; None if the map is not georeferenced.
        percent: share of the valid area, or of the valid pixels if no area is known.
        estimate: error-adjusted area, if the model has a confusion matrix.
    """

    id: int
    name: str
    pixels: int
    square_metres: float | None
    percent: float
    estimate: AreaEstimate | None = None

    @property
    def hectares(self) -> float | None:
        return None if self.square_metres is None else self.square_metres / HECTARE

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; unknown values are None."""
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
        classes: all classes of the legend in its order, including absent ones.
        nodata_square_metres: area of the nodata pixels on the ground; None if it is not known.
    """

    classes: tuple[ClassArea, ...]
    nodata_pixels: int
    nodata_square_metres: float | None = None

    @property
    def pixels(self) -> int:
        """The number of valid pixels."""
        return sum(item.pixels for item in self.classes)

    @property
    def square_metres(self) -> float | None:
        """The valid area; None if it is not known."""
        areas = [item.square_metres for item in self.classes]
        return None if None in areas else sum(area for area in areas if area is not None)

    @property
    def hectare_decimals(self) -> int:
        """Meaningful decimals of hectares: the last one is worth at most a pixel."""
        area = self.square_metres if self.pixels else self.nodata_square_metres
        pixels = self.pixels or self.nodata_pixels
        if not area or not pixels:
            return 0
        return max(0, math.ceil(-math.log10(area / pixels / HECTARE) - 0.01))

    def to_json(self) -> Mapping[str, Any]:
        return {
            "classes": [item.to_json() for item in self.classes],
            "nodata_pixels": self.nodata_pixels,
        }


class AreaCounter:
    """Adds up the rows of a class map.

    Args:
        pixel_areas: areas of the map's pixels; None if it is not georeferenced.
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
        """Count rows of the map, each once and in any order.

        Args:
            labels: (rows, width) class ids or NODATA.
            row_off: row of the map of the first row.
            col_off: column of the map of the first column.
            inside: (rows, width) False for pixels to leave out.
        """
        cols = slice(col_off, col_off + labels.shape[1])
        for number, row in enumerate(labels):
            kept = slice(None) if inside is None else inside[number]
            self._pixels += np.bincount(row[kept], minlength=256)
            if self._pixel_areas is not None:
                weights = self._pixel_areas.row(row_off + number)[cols][kept]
                self._square_metres += np.bincount(row[kept], weights=weights, minlength=256)

    def areas(self, confusion: ConfusionMatrix | None = None) -> Areas:
        """The areas counted so far.

        Args:
            confusion: the model's confusion matrix, in the legend's order, for error-adjusted
                estimates.
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
