"""Composite: three bands of a scene as a picture for the screen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.composite import choose_composite
from geosrseg.raster.scene import Scene

EMPTY = (232, 232, 232)
"""The colour of what is not valid."""

SAMPLE = 700
"""Pixels along the longer side of the decimated scene that the stretch is taken from."""

LEAST_LAND = 0.01
"""Share of the valid pixels below which land is too little to take a stretch from."""

Limits = NDArray[np.float64]
LandOf = Callable[[int, int], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """Which bands are shown, and which of their numbers as black and as white.

    Attributes:
        bands: names of those shown as red, green and blue.
        limits: (3, 2) numbers.
    """

    bands: tuple[str, ...]
    limits: Limits

    @classmethod
    def of(cls, scene: Scene, *, land: LandOf | None = None) -> "Composite":
        """The composite of a whole scene, from a small copy of it.

        Args:
            scene: the open scene.
            land: gives, for the copy's rows and columns, where its land is; see `find_limits`.

        Raises:
            SceneError: the scene cannot be read.
        """
        longest = max(scene.grid.height, scene.grid.width)
        share = min(SAMPLE / longest, 1)
        size = (max(round(scene.grid.height * share), 1), max(round(scene.grid.width * share), 1))
        numbers, valid = scene.read_decimated(*size)
        bands = choose_composite(scene.band_names)
        shown = pick_bands(numbers, scene.band_names, bands)
        return cls(bands, find_limits(shown, valid, land and land(*size)))

    def paint(
        self, scene: Scene, numbers: NDArray[np.generic], valid: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """(rows, cols, 3) of what `scene` has read."""
        shown = pick_bands(numbers, scene.band_names, self.bands)
        return stretch(shown, valid, self.limits)


def pick_bands(
    numbers: NDArray[np.generic], names: tuple[str, ...], wanted: tuple[str, ...]
) -> NDArray[np.generic]:
    """(wanted, rows, cols) of (names, rows, cols)."""
    return numbers[[names.index(name) for name in wanted]]


def find_limits(
    numbers: NDArray[np.generic],
    valid: NDArray[np.bool_],
    land: NDArray[np.bool_] | None = None,
) -> Limits:
    """What becomes black and white: the 2nd percentile of each band, and the 98th of its land.

    Water is dark: where there is much of it, all of the land would be white.

    Args:
        numbers: (bands, rows, cols).
        valid: (rows, cols).
        land: (rows, cols) where there is land; everywhere by default.

    Returns:
        (bands, 2); 0 and 1 where no pixel is valid.
    """
    if not valid.any():
        return np.tile([0.0, 1.0], (len(numbers), 1))
    bright = valid if land is None else land & valid
    if bright.sum() < LEAST_LAND * valid.sum():
        bright = valid
    found = [
        np.percentile(numbers[:, pixels].astype(np.float64), percent, axis=1)
        for pixels, percent in ((valid, 2), (bright, 98))
    ]
    return np.stack(found, axis=1)


def stretch(
    numbers: NDArray[np.generic], valid: NDArray[np.bool_], limits: Limits
) -> NDArray[np.uint8]:
    """Spread each band over the screen's range.

    Args:
        numbers: (3, rows, cols).
        valid: (rows, cols); other pixels become light grey.
        limits: (3, 2) numbers that become black and white.

    Returns:
        (rows, cols, 3) uint8.
    """
    low, high = limits.T[..., None, None]
    values = np.where(valid, numbers, 0).astype(np.float64)
    spread = (values - low) / np.where(high > low, high - low, 1)
    pixels = np.rint(np.clip(spread, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    return np.where(valid[..., None], pixels, np.array(EMPTY, np.uint8))
