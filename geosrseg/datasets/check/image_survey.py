"""ImageSurvey: the distribution of an image's values, and how many of them its range cuts off."""

import hashlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.dataset_image import DatasetImage

WHOLE = 4 * 2**20
"""Most pixels of an image that is read as a whole; of a larger one, only evenly spaced windows."""

SIDE, PER_AXIS = 256, 8
"""Pixels along each side of such a window, and windows along each axis."""

ALONE = 0.02
"""Least relative difference between a marker and every measurement."""

PERCENTS = (0.1, 2.0, 50.0, 98.0, 99.9)

SENTINELS = (-9999.0, -99999.0, -32768.0, -32767.0, -9999.9, -999.0)
"""Numbers that usually mark pixels without a measurement."""

MARKER_SHARE = 0.01
"""Share of pixels with one number in all bands from which on it is no coincidence."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSurvey:
    """Statistics of a sample of an image's pixels.

    Attributes:
        percentiles: (bands, percents) reflectance at `PERCENTS`; NaN without a valid pixel.
        below: (bands,) share of the valid pixels below low.
        above: (bands,) share of the valid pixels above high.
        markers: undeclared numbers that seem to mark missing pixels, with their share.
        digest: hash of the sampled pixels; equal for copies in any format.
        is_turned: viewers show the image turned, by a camera's EXIF orientation.
    """

    path: Path
    dtype: str
    height: int
    width: int
    percentiles: NDArray[np.float64]
    below: NDArray[np.float64]
    above: NDArray[np.float64]
    markers: tuple[tuple[float, float], ...]
    digest: str
    is_turned: bool = False

    @property
    def beyond(self) -> float:
        """Share of the values outside the range, which become 0 or 1."""
        return float((self.below + self.above).mean())


def survey_image(
    image: DatasetImage, *, low: tuple[float, ...], high: tuple[float, ...]
) -> ImageSurvey:
    """Measure a sample of an image.

    Args:
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
    """
    sample, digest = [], hashlib.sha256(f"{image.grid.height} {image.grid.width}".encode())
    for window in _windows(image.grid.height, image.grid.width):
        numbers, valid = image.read_numbers(window)
        digest.update(np.ascontiguousarray(numbers, dtype=np.float64).tobytes())
        sample.append(numbers[:, valid])
    numbers = np.concatenate(sample, axis=1)  # (bands, pixels)
    dtype, markers = numbers.dtype.name, _find_markers(numbers)
    for number, _ in markers:  # markers would distort the range
        numbers = numbers[:, (numbers != number).any(axis=0)]
    scale, offset, least, most = (
        np.array(v)[:, None] for v in (image.radiometry.scale, image.radiometry.offset, low, high)
    )
    values = numbers * scale + offset
    percentiles = np.full((len(low), len(PERCENTS)), np.nan)
    if values.size:
        percentiles = np.percentile(values, PERCENTS, axis=1).T
    pixels = max(values.shape[1], 1)
    with image.files.use(image.path) as dataset:
        is_turned = dataset.tags().get("EXIF_Orientation", "1") not in ("0", "1")
    return ImageSurvey(
        path=image.path,
        dtype=dtype,
        height=image.grid.height,
        width=image.grid.width,
        percentiles=percentiles,
        below=(values < least).sum(axis=1) / pixels,
        above=(values > most).sum(axis=1) / pixels,
        markers=markers,
        digest=digest.hexdigest(),
        is_turned=is_turned,
    )


def _windows(height: int, width: int) -> list[Window]:
    if height * width <= WHOLE:
        return [Window(0, 0, height, width)]
    rows, cols = (
        np.unique(np.linspace(0, max(length - SIDE, 0), PER_AXIS, dtype=int)).tolist()
        for length in (height, width)
    )
    return [Window(*start, min(SIDE, height), min(SIDE, width)) for start in product(rows, cols)]


def _find_markers(numbers: NDArray[np.generic]) -> tuple[tuple[float, float], ...]:
    """Find numbers that mark missing pixels, with the share of pixels that have them.

    These are sentinels, and a smallest number of 0 or less that many pixels have in all bands.
    """
    if not numbers.size:
        return ()
    values = numbers.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    found = []
    for number in sorted({low, high, *(s for s in SENTINELS if low <= s <= high)}):
        is_sentinel = number in SENTINELS or abs(number) > 1e30
        share = float((values == number).any(axis=0).mean())
        alike = float((values == number).all(axis=0).mean())
        is_sentinel = is_sentinel and (alike >= MARKER_SHARE or _is_alone(number, values))
        # The largest number marks nothing: bright pixels saturate there.
        is_marker = share > 0 if is_sentinel else number == low <= 0 and alike >= MARKER_SHARE
        if is_marker and share < 1:
            found.append((number, share if is_sentinel else alike))
    return tuple(found)


def _is_alone(number: float, values: NDArray[np.float64]) -> bool:
    """Return whether no other value is near: a number among measurements may be one itself."""
    near = np.abs(values - number) <= abs(number) * ALONE
    return not bool((near & (values != number)).any())
