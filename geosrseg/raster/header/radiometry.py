"""The radiometry of a scene: as the user says, as the file says, or as its values tell."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geosrseg.core.normalize import Radiometry
from geosrseg.core.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files.gdal import GDAL_ERRORS
from geosrseg.raster.header.selection import BandSelection

REFLECTANCE = (-0.25, 2.0)
"""Surface reflectance as products store it: Landsat's goes from -0.2 to 1.6, and clouds
and snow come out brighter than 1."""

TEN_THOUSANDTHS = (-2000.0, 16000.0)
"""The valid range of Landsat Collection 1 surface reflectance, int16 times 10000."""

_SAMPLES_PER_AXIS = 8
_SAMPLE_LENGTH = 32
_ENOUGH_VALUES = 1000


def find_radiometry(
    dataset: DatasetReader,
    selection: BandSelection,
    *,
    scale: float | None,
    offset: float | None,
    skip_bad_blocks: bool = False,
) -> tuple[Radiometry, str]:
    """How the chosen bands of an open file become reflectance.

    Args:
        dataset: the open file.
        selection: its chosen bands.
        scale: as the user says, for all bands.
        offset: likewise. If only one of the two is given, the other is 1 or 0.
        skip_bad_blocks: tell it from the blocks that can be decoded.

    Returns:
        The radiometry, and a warning for the user, empty where there is nothing to say.

    Raises:
        SceneError: the scale or offset is no usable number, or nothing tells it.
    """
    bands = len(selection.indexes)
    if (said := radiometry_of_options(bands, scale=scale, offset=offset)) is not None:
        return said, ""
    scales = tuple(float(dataset.scales[index - 1]) for index in selection.indexes)
    offsets = tuple(float(dataset.offsets[index - 1]) for index in selection.indexes)
    if set(scales) != {1.0} or set(offsets) != {0.0}:
        return checked_radiometry(scales, offsets, source="the file states"), ""
    return infer_radiometry(
        _sample(dataset, selection, skip_bad_blocks=skip_bad_blocks), bands=bands
    )


def radiometry_of_options(
    bands: int, *, scale: float | None, offset: float | None
) -> Radiometry | None:
    """The radiometry as the user says it; None where nothing is said.

    Raises:
        SceneError: the scale or offset is no usable number.
    """
    if scale is None and offset is None:
        return None
    scales = (1.0 if scale is None else float(scale),) * bands
    offsets = (0.0 if offset is None else float(offset),) * bands
    return checked_radiometry(scales, offsets, source="the options give")


def checked_radiometry(
    scales: tuple[float, ...], offsets: tuple[float, ...], *, source: str
) -> Radiometry:
    """The radiometry of these numbers, one per band; `source` says whose they are.

    Raises:
        SceneError: a scale is 0, or a number is not finite.
    """
    if 0 in scales or not all(map(math.isfinite, scales + offsets)):
        listed = (" ".join(f"{value:g}" for value in values) for values in (scales, offsets))
        raise SceneError(
            f"{source} scale {next(listed)} and offset {next(listed)}, expected finite "
            f"numbers and no scale of 0: give `scale` and `offset`"
        )
    return Radiometry(scales, offsets)


def infer_radiometry(values: NDArray[np.generic], *, bands: int) -> tuple[Radiometry, str]:
    """Tell from its values how a scene stores reflectance, only where that is certain.

    Two conventions are recognized, by the smallest value (so that a fill value which the
    file does not declare is never taken for a measurement) and by percentiles above it
    (so that a few glints do not matter):

    - floating point from `REFLECTANCE[0]` to `REFLECTANCE[1]` (98th percentile) is
      reflectance as it is;
    - int16 or floating point from `TEN_THOUSANDTHS[0]` to `TEN_THOUSANDTHS[1]` (98th
      percentile) is reflectance times 10000 if the median is from 100 to 6000 and the
      98th percentile above 500: digital numbers of 8 bits end at 255, those of 12 to
      16 bits lie higher.

    Unsigned integers are never guessed: Collection 2, Sentinel-2 and raw digital numbers
    overlap.

    Args:
        values: a sample of the valid digital numbers of all bands, in the file's dtype.
        bands: number of bands.

    Returns:
        The radiometry, and a warning for the user, empty where there is nothing to say.

    Raises:
        SceneError: the values fit neither convention.
    """
    if not values.size:
        return Radiometry.uniform(bands), "no pixel is valid in all bands"
    numbers = values.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    median, top = map(float, np.percentile(numbers, (50, 98)))
    is_float = values.dtype.kind == "f"
    if is_float and low >= REFLECTANCE[0] and top <= REFLECTANCE[1]:
        return Radiometry.uniform(bands), ""
    seen = f"{values.dtype} values from {low:g} to {high:g}, median {median:g}"
    is_signed = is_float or values.dtype == np.int16
    in_range = low >= TEN_THOUSANDTHS[0] and 500 < top <= TEN_THOUSANDTHS[1]
    if is_signed and in_range and 100 <= median <= 6000:
        return Radiometry.uniform(bands, scale=1e-4), (
            f"the file states no scale: its {seen}, are taken for reflectance times 10000"
        )
    raise SceneError(
        f"the file states no scale, and its {seen}, are not the reflectance that the model "
        f"expects, about 0 to 1: {_remedy(low)}"
    )


def _remedy(low: float) -> str:
    if low in (-9999, -32768) or low < -1e6:
        return f"declare {low:g} as nodata if it marks missing pixels, or give `scale` and `offset`"
    return (
        "give `scale` and `offset`, such as `scale` 0.0000275 `offset` -0.2 for Landsat "
        "Collection 2 Level 2, or `scale` 0.0001 for reflectance times 10000"
    )


def _sample(
    dataset: DatasetReader, selection: BandSelection, *, skip_bad_blocks: bool
) -> NDArray[np.generic]:
    """Valid values from all over the scene, at the cost of a few blocks.

    A scene whose valid part falls between the scattered windows is searched in full: a
    guess from nothing would be none.
    """
    height, width = dataset.shape
    read = partial(_samples, selection, dataset, skip_bad_blocks=skip_bad_blocks)
    values = np.concatenate(
        [np.empty(0, dataset.dtypes[0]), *read(_scattered_windows(height, width))]
    )
    if values.size:
        return values
    for found in read(_all_windows(height, width)):
        values = np.concatenate([values, found])
        if values.size >= _ENOUGH_VALUES:
            break
    return values


def _samples(
    selection: BandSelection,
    dataset: DatasetReader,
    windows: Iterator[Window],
    *,
    skip_bad_blocks: bool,
) -> Iterator[NDArray[np.generic]]:
    for window in windows:
        try:
            numbers, valid = selection.read(dataset, window)
        except GDAL_ERRORS:
            if not skip_bad_blocks:
                raise
            continue
        yield numbers[:, valid].ravel()


def _scattered_windows(height: int, width: int) -> Iterator[Window]:
    for row in _scattered_starts(height):
        for col in _scattered_starts(width):
            yield Window(row, col, min(_SAMPLE_LENGTH, height), min(_SAMPLE_LENGTH, width))


def _scattered_starts(length: int) -> list[int]:
    last = max(length - _SAMPLE_LENGTH, 0)
    return sorted(set(np.linspace(0, last, _SAMPLES_PER_AXIS, dtype=int).tolist()))


def _all_windows(height: int, width: int) -> Iterator[Window]:
    for row in range(0, height, 512):
        for col in range(0, width, 512):
            yield Window(row, col, 512, 512).clipped(height, width)
