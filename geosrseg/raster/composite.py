"""Composite: shows three bands of a scene as an RGB picture."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.composite import choose_composite
from geosrseg.raster.scene import Scene

EMPTY = (232, 232, 232)
"""Colour of invalid pixels."""

SAMPLE = 700
"""Pixels along the longer side of the decimated scene from which the stretch is computed."""

LEAST_LAND = 0.01
"""Share of land among the valid pixels below which the stretch uses all valid pixels."""

Limits = NDArray[np.float64]
LandOf = Callable[[int, int], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """The bands shown, and the numbers drawn as black and as white.

    Attributes:
        bands: names of the bands shown as red, green and blue.
        limits: (3, 2) numbers drawn as black and as white.
    """

    bands: tuple[str, ...]
    limits: Limits

    @classmethod
    def of(cls, scene: Scene, *, land: LandOf | None = None) -> "Composite":
        """Choose bands and limits from a decimated copy of the scene.

        Args:
            land: called with the copy's height and width; returns the `land` of `find_limits`.

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
        """Return (rows, cols, 3) for digital numbers that were read from `scene`."""
        shown = pick_bands(numbers, scene.band_names, self.bands)
        return stretch(shown, valid, self.limits)


def pick_bands(
    numbers: NDArray[np.generic], names: tuple[str, ...], wanted: tuple[str, ...]
) -> NDArray[np.generic]:
    """Select (wanted, rows, cols) from (names, rows, cols)."""
    return numbers[[names.index(name) for name in wanted]]


def find_limits(
    numbers: NDArray[np.generic],
    valid: NDArray[np.bool_],
    land: NDArray[np.bool_] | None = None,
) -> Limits:
    """Find black, the 2nd percentile of each band, and white, the 98th percentile of its land.

    Water is dark: in a scene with much water, a percentile of all pixels would turn land white.

    Args:
        numbers: (bands, rows, cols).
        valid: (rows, cols).
        land: (rows, cols), True on land; None means everywhere.

    Returns:
        (bands, 2); 0 and 1 if no pixel is valid.
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
    """Stretch each band to 0 to 255.

    Args:
        numbers: (3, rows, cols).
        valid: (rows, cols); other pixels become light grey.
        limits: (3, 2) numbers drawn as black and as white.

    Returns:
        (rows, cols, 3) uint8.
    """
    low, high = limits.T[..., None, None]
    values = np.where(valid, numbers, 0).astype(np.float64)
    spread = (values - low) / np.where(high > low, high - low, 1)
    pixels = np.rint(np.clip(spread, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    return np.where(valid[..., None], pixels, np.array(EMPTY, np.uint8))
