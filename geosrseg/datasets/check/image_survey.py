"""ImageSurvey: what the values of an image are, and what the network would make of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.dataset_image import DatasetImage

WHOLE = 4 * 2**20
"""Pixels up to which an image is read as a whole; of a larger one, windows all over it."""

SIDE, PER_AXIS = 256, 8

ALONE = 0.02
"""Share of itself by which a marker differs from every measurement."""

PERCENTS = (0.1, 2.0, 50.0, 98.0, 99.9)

SENTINELS = (-9999.0, -99999.0, -32768.0, -32767.0, -9999.9, -999.0)
"""Numbers that never are a measurement: they mark pixels without one."""

MARKER_SHARE = 0.01
"""Pixels with 0 in all bands, or with a type's largest number, that are no chance."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSurvey:
    """What a sample of an image's pixels says.

    Attributes:
        dtype: of its numbers.
        percentiles: (bands, percents) reflectance at `PERCENTS`; NaN without a valid pixel.
        below: (bands,) share of the valid pixels below low.
        above: (bands,) share above high.
        valid: share of the pixels that are.
        markers: numbers that seem to mark missing pixels and are not declared, with the
            share of the pixels.
        digest: of the sampled pixels: equal for copies, however they are stored.
        is_turned: it is shown otherwise than it is stored, by a camera's EXIF.
    """

    path: Path
    dtype: str
    height: int
    width: int
    percentiles: NDArray[np.float64]
    below: NDArray[np.float64]
    above: NDArray[np.float64]
    valid: float
    markers: tuple[tuple[float, float], ...]
    digest: str
    is_turned: bool = False

    @property
    def beyond(self) -> float:
        """Share of the values that become 0 or 1 as they lie beyond the range."""
        return float((self.below + self.above).mean())


def survey_image(
    image: DatasetImage, *, low: tuple[float, ...], high: tuple[float, ...]
) -> ImageSurvey:
    """Look at an image.

    Args:
        image: opened as its card says.
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
    """
    sample, digest = [], hashlib.sha256(f"{image.grid.height} {image.grid.width}".encode())
    pixels = 0
    dtype = ""
    for window in _windows(image.grid.height, image.grid.width):
        numbers, valid = image.read_numbers(window)
        dtype, pixels = numbers.dtype.name, pixels + valid.size
        digest.update(np.ascontiguousarray(numbers, dtype=np.float64).tobytes())
        sample.append(numbers[:, valid])
    numbers = np.concatenate(sample, axis=1)  # (bands, pixels)
    valid_share = numbers.shape[1] / max(pixels, 1)
    markers = _find_markers(numbers)
    for number, _ in markers:  # what is no measurement says nothing of the scale
        numbers = numbers[:, (numbers != number).any(axis=0)]
    scale, offset = (
        np.array(v)[:, None] for v in (image.radiometry.scale, image.radiometry.offset)
    )
    values = numbers * scale + offset
    some = values.shape[1] > 0
    bands = len(low)
    return ImageSurvey(
        path=image.path,
        dtype=dtype,
        height=image.grid.height,
        width=image.grid.width,
        percentiles=np.percentile(values, PERCENTS, axis=1).T
        if some
        else np.full((bands, len(PERCENTS)), np.nan),
        below=(values < np.array(low)[:, None]).mean(axis=1) if some else np.zeros(bands),
        above=(values > np.array(high)[:, None]).mean(axis=1) if some else np.zeros(bands),
        valid=valid_share,
        markers=markers,
        digest=digest.hexdigest(),
        is_turned=_is_turned(image),
    )


def _is_turned(image: DatasetImage) -> bool:
    with image.files.use(image.path) as dataset:
        return dataset.tags().get("EXIF_Orientation", "1") not in ("0", "1")


def _windows(height: int, width: int) -> Iterator[Window]:
    if height * width <= WHOLE:
        yield Window(0, 0, height, width)
        return
    for row in _starts(height):
        for col in _starts(width):
            yield Window(row, col, min(SIDE, height), min(SIDE, width))


def _starts(length: int) -> list[int]:
    places = np.linspace(0, max(length - SIDE, 0), PER_AXIS, dtype=int)
    return sorted(set(places.tolist()))


def _find_markers(numbers: NDArray[np.generic]) -> tuple[tuple[float, float], ...]:
    """Numbers that many pixels have in all bands alike and that lie at an end of all numbers."""
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
        # The largest number is what bright pixels are cut off at: it marks nothing.
        is_marker = share > 0 if is_sentinel else number == low <= 0 and alike >= MARKER_SHARE
        if is_marker and share < 1:
            found.append((number, share if is_sentinel else alike))
    return tuple(found)


def _is_alone(number: float, values: NDArray[np.float64]) -> bool:
    """Nothing is near it: what lies among measurements may be one."""
    near = np.abs(values - number) <= abs(number) * ALONE
    return not bool((near & (values != number)).any())
