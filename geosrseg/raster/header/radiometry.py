"""Finds a scene's radiometry: from the user, from the file, or from its values."""

import math
import statistics
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geosrseg.core.normalize import Radiometry
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import SceneError
from geosrseg.raster.header.conventions import CONVENTIONS, EIGHT_BITS, advice
from geosrseg.raster.header.selection import BandSelection

REFLECTANCE = (-0.25, 2.0)
"""Range of surface reflectance in products: Landsat's runs from -0.2 to 1.6, and clouds and snow
exceed 1."""

TEN_THOUSANDTHS = (-2000.0, 16000.0)
"""The valid range of Landsat Collection 1 surface reflectance, int16 times 10000."""

ALIKE = 3.0
"""Factor by which the scales of a file's bands may differ; those of Level 1 differ slightly."""

OFFSETS_ALIKE = 0.05
"""Difference in reflectance by which the offsets may differ."""


def find_radiometry(
    dataset: DatasetReader,
    selection: BandSelection,
    values: NDArray[np.generic],
    *,
    scale: float | None,
    offset: float | None,
    spec: ModelSpec | None = None,
    remedy: str = "",
) -> tuple[Radiometry, str]:
    """How the chosen bands of an open file become reflectance.

    Args:
        values: (bands, pixels), a sample of the valid digital numbers.
        scale: the user's, for all bands.
        offset: the user's, for all bands. If only one of the two is given, the other is 1 or 0.
        spec: the model, whose training data lets an error suggest a scale.
        remedy: the advice of the error; empty for the default advice.

    Returns:
        The radiometry, and a warning or empty.

    Raises:
        SceneError: a scale or offset is unusable, the bands disagree, or nothing tells the scale.
    """
    bands = len(selection.indexes)
    if (said := radiometry_of_options(bands, scale=scale, offset=offset)) is not None:
        return said, ""
    scales = tuple(float(dataset.scales[index - 1]) for index in selection.indexes)
    offsets = tuple(float(dataset.offsets[index - 1]) for index in selection.indexes)
    if set(scales) == {1.0} and set(offsets) == {0.0}:
        return infer_radiometry(values, spec=spec, remedy=remedy)
    stated = checked_radiometry(
        scales,
        offsets,
        source="the file states",
        fitting=lambda: advice(values, spec) if spec and values.size else "",
    )
    _check_alike(stated, selection)
    return stated, ""


def _check_alike(stated: Radiometry, selection: BandSelection) -> None:
    """Refuse a band whose scale or offset is far from the others': its tag is lost or outdated."""
    usual, shift = statistics.median_low(stated.scale), statistics.median_low(stated.offset)
    for index, scale, offset in zip(selection.indexes, stated.scale, stated.offset, strict=True):
        if not 1 / ALIKE < scale / usual < ALIKE or abs(offset - shift) > OFFSETS_ALIKE:
            raise SceneError(
                f"its band {index} states the scale {scale:g} and offset {offset:g}, but the "
                f"others {usual:g} and {shift:g}, expected the same for all: give `scale` and "
                f"`offset`, such as `scale` {usual:g} `offset` {shift:g}"
            )


def radiometry_of_options(
    bands: int, *, scale: float | None, offset: float | None
) -> Radiometry | None:
    """The radiometry that the user states; None where both options are None.

    Raises:
        SceneError: the scale or offset is unusable.
    """
    if scale is None and offset is None:
        return None
    scales = (1.0 if scale is None else float(scale),) * bands
    offsets = (0.0 if offset is None else float(offset),) * bands
    return checked_radiometry(scales, offsets, source="the options give")


def checked_radiometry(
    scales: tuple[float, ...],
    offsets: tuple[float, ...],
    *,
    source: str,
    fitting: Callable[[], str] = lambda: "",
) -> Radiometry:
    """Build a radiometry from one scale and offset per band.

    Args:
        source: who states them, for the message.
        fitting: returns `advice`; called for an error only.

    Raises:
        SceneError: a scale is 0, or a number is not finite.
    """
    if 0 in scales or not all(map(math.isfinite, scales + offsets)):
        listed = (" ".join(f"{value:g}" for value in values) for values in (scales, offsets))
        fit = fitting()
        raise SceneError(
            f"{source} scale {next(listed)} and offset {next(listed)}, expected finite "
            "numbers and no scale of 0: "
            + (f"its numbers {fit}" if fit else "give `scale` and `offset`")
        )
    return Radiometry(scales, offsets)


def infer_radiometry(
    values: NDArray[np.generic], *, spec: ModelSpec | None = None, remedy: str = ""
) -> tuple[Radiometry, str]:
    """Infer from its values how a scene stores reflectance, where that is certain.

    Two conventions are recognized, by the smallest value (so that an undeclared fill value never
    counts as a measurement) and by percentiles (so that a few glints do not matter):

    - floating point from `REFLECTANCE[0]` to `REFLECTANCE[1]` (98th percentile) is
      reflectance as it is;
    - int16 or floating point from `TEN_THOUSANDTHS[0]` to `TEN_THOUSANDTHS[1]` (98th
      percentile) is reflectance times 10000 if the median is from 100 to 6000 and the
      98th percentile above 500: digital numbers of 8 bits end at 255, those of 12 to
      16 bits lie higher.

    Unsigned integers are never guessed, as Collection 2, Sentinel-2 and raw digital numbers
    overlap. See `find_radiometry` for the arguments; `values` has the file's dtype.

    Raises:
        SceneError: the values fit neither convention.
    """
    bands = len(values)
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
        f"expects, about 0 to 1: {remedy or _remedy(values, low, spec)}"
    )


def _remedy(values: NDArray[np.generic], low: float, spec: ModelSpec | None) -> str:
    if low in (-9999, -32768) or low < -1e6:
        return f"`nodata` {low:g} if it marks missing pixels, or give `scale` and `offset`"
    if fitting := advice(values, spec) if spec else "":
        return f"they {fitting}"
    usual = [EIGHT_BITS] if values.dtype.itemsize == 1 else CONVENTIONS[1:4]
    return "give `scale` and `offset`, such as " + ", or ".join(
        f"{each.option} for {each.name}" for each in usual
    )
