"""Finds fill values that no tag declares: a number repeated over a stretch is not ground."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from geosrseg.core.normalize import Radiometry
from geosrseg.errors import SceneError
from geosrseg.raster.header.sample import Part, Sample

STRETCH = 16
"""Consecutive equal pixels in a row or column, more than noise produces."""

LEAST_SHARE = 0.0005
LEAST_SHARE_8_BITS = 0.02
"""Least share of pixels with a fill value; in 8 bits, grey and overexposed pixels are common."""

NEGATIVE = -900.0
"""Digital number below which no scene consists of measurements alone."""

FAR_BELOW = -0.15
FAR_ABOVE = 2.0
"""Limits of reflectance; no ground exceeds one of them in all bands at once."""

BLACK_BANDS = 4
"""Number of bands in which no ground has the number 0 at once; in 8 bits, shadows have."""

USUAL = (0.0, -9999.0, -32768.0, float(np.finfo(np.float32).min))
"""Values by which files mark missing pixels and that sensors do not give to overexposed ones."""

ALIKE_BANDS = 3
"""Least number of bands in which equal values are no coincidence."""

HOLLOW = 0.1
"""Share of a band's median. Water has numbers between 0 and this share; a band without any has
zeros that are not measurements."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A digital number that marks missing pixels without being declared as nodata.

    Attributes:
        share: share of the valid pixels that have the value.
    """

    value: float
    share: float


@dataclass(frozen=True, slots=True)
class JudgedFill:
    """What an undeclared value makes of a pixel.

    Attributes:
        anywhere: values that make a pixel nodata in any band.
        shared: values that make a pixel nodata where all bands have them.
        warnings: one line for each value found.
    """

    anywhere: tuple[float, ...]
    shared: tuple[float, ...]
    warnings: tuple[str, ...]


def check_nodata(values: Sequence[float]) -> tuple[float, ...]:
    """Check the values of ``--nodata`` and drop duplicates; SceneError if one is not finite."""
    for value in values:
        if not math.isfinite(value):
            raise SceneError(
                f"`nodata` {value}: expected a finite number (all others are always nodata)"
            )
    return tuple(dict.fromkeys(map(float, values)))


def describe_unheld(values: Sequence[float], dtype: DTypeLike) -> list[str]:
    """A warning for each value of ``--nodata`` that the type of the pixels cannot hold."""
    if not np.issubdtype(dtype, np.integer):
        return []
    limits = np.iinfo(dtype)
    return [
        f"`nodata` {value:.10g}: no pixel can have it, as the scene holds {dtype}, whole numbers "
        f"from {limits.min} to {limits.max}"
        for value in values
        if not can_hold(dtype, value)
    ]


def can_hold(dtype: DTypeLike, value: float) -> bool:
    """Whether pixels of a type can have a value."""
    if not np.issubdtype(dtype, np.integer):
        return True
    limits = np.iinfo(dtype)
    return value.is_integer() and limits.min <= value <= limits.max


def find_fill(sample: Sample) -> tuple[Fill, ...]:
    """Values that fill stretches, in all bands at once or far from all other values in one."""
    total = sum(int(part.valid.sum()) for part in sample.parts)
    if not total:
        return ()
    values = sample.values
    candidates = [*_alike_values(values), *_outlying_values(values)]
    found = []
    for value in dict.fromkeys(candidates):
        share = sum(int(_has(part, value).sum()) for part in sample.parts) / total
        least = LEAST_SHARE_8_BITS if values.dtype.itemsize == 1 and value else LEAST_SHARE
        if share >= least and any(_has_stretch(_has(part, value)) for part in sample.parts):
            found.append(Fill(value, share))
    return tuple(found)


def search_fill(take: Callable[[Sequence[Fill], bool], Sample]) -> tuple[Sample, tuple[Fill, ...]]:
    """Find fill, and sample the pixels without it.

    Args:
        take: samples the pixels that are none of the given fill; the second argument allows an
            overview.

    Returns:
        The sample, and what was found; the sample of fill where the scene has nothing else.

    Raises:
        SceneError: all pixels of the scene are missing.
    """
    found = take((), True)
    fills = find_fill(found)
    measured = without_fill(found, fills)
    marks_missing = fills and all(fill.value == 0 or fill.value < NEGATIVE for fill in fills)
    # The pixels of an overview on the border of fill are means of fill and ground.
    is_mixed = found.is_averaged and (fills or found.values.min(initial=0) < NEGATIVE)
    if is_mixed or (marks_missing and not measured.values.size):
        measured = take(fills, False)
        more = find_fill(measured)
        fills, measured = (*fills, *more), without_fill(measured, more)
    if marks_missing and not measured.values.size:
        listed = " or ".join(f"{fill.value:.10g}" for fill in fills)
        raise SceneError(f"all its pixels are {listed}, which marks missing data: get it again")
    return measured if measured.values.size else found, fills


def judge_fill(
    sample: Sample, fills: Sequence[Fill], radiometry: Radiometry, *, is_declared: bool
) -> tuple[Sample, JudgedFill]:
    """Decide which values are nodata.

    Args:
        sample: without `fills`, unless the scene has nothing else.
        fills: what was found in stretches.
        is_declared: the file says which of its pixels are missing. If not, the usual values are
            nodata in all of it, because a sample misses small holes.

    Returns:
        The sample without the usual values, and the decision.
    """
    dtype = sample.nothing.dtype
    usual = () if is_declared else _usual_fills(dtype, radiometry)
    scattered = _scattered_fill(sample, usual)
    fills = (*fills, *scattered)
    certain = [fill.value for fill in fills if is_certain(fill.value, dtype, radiometry)]
    if not without_fill(sample, fills).values.size:  # a scene of nothing else is kept as it is
        certain, usual = [], ()
    anywhere = tuple(value for value in certain if is_unmeasured(value, dtype, radiometry))
    return without_fill(sample, scattered), JudgedFill(
        anywhere=anywhere,
        shared=tuple(v for v in dict.fromkeys((*certain, *usual)) if v not in anywhere),
        warnings=tuple(
            fill_warning(fill, taken=fill.value in certain, anywhere=fill.value in anywhere)
            for fill in fills
        ),
    )


def describe_hollows(sample: Sample, names: Sequence[str]) -> list[str]:
    """A warning for each band that is 0 over stretches where the others have data.

    Args:
        sample: a sample without the fill of all bands.
        names: one per band.
    """
    values, warnings = sample.values, []
    for index, (band, name) in enumerate(zip(values, names, strict=True)):
        found = np.abs(band[band != 0].astype(np.float64))
        share = 1 - found.size / max(band.size, 1)
        if share < LEAST_SHARE_8_BITS or (found.size and found.min() < HOLLOW * np.median(found)):
            continue
        if any(_has_stretch(part.valid & (part.numbers[index] == 0)) for part in sample.parts):
            warnings.append(
                f"{name} is 0 in {share:.1%} of its pixels, in large areas where other bands have "
                "data: they are mapped as ground, unless `nodata` 0 makes them nodata"
            )
    return warnings


def without_fill(sample: Sample, fills: Sequence[Fill]) -> Sample:
    """Drop the pixels that have one of the values."""
    for fill in fills:
        sample = sample.where(lambda part, value=fill.value: ~_has(part, value))  # type: ignore[misc]
    return sample


def is_certain(value: float, dtype: np.dtype[np.generic], radiometry: Radiometry) -> bool:
    """Whether a value of all bands can only be fill.

    That holds for what no band measures, and for 0, which Earth Engine writes where an image is
    masked.
    """
    has_levels = dtype.kind == "f" or _is_wide(dtype)
    is_black = value == 0 and has_levels and len(radiometry.scale) >= BLACK_BANDS
    return is_black or is_unmeasured(value, dtype, radiometry)


def is_unmeasured(value: float, dtype: np.dtype[np.generic], radiometry: Radiometry) -> bool:
    """Whether a value can only be fill even if a single band has it.

    That holds for the end of an integer type, and for a value that is not a reflectance in any
    band. It does not hold for reflectance 0, which water has in some bands.
    """
    if _is_wide(dtype) and value in _ends(dtype):
        return True
    reflectances = [
        scale * value + offset
        for scale, offset in zip(radiometry.scale, radiometry.offset, strict=True)
    ]
    return max(reflectances) < FAR_BELOW or min(reflectances) > FAR_ABOVE


def fill_warning(fill: Fill, *, taken: bool, anywhere: bool = False) -> str:
    """Warn of a fill value.

    Args:
        taken: it is treated as nodata.
        anywhere: in any band, rather than in all.
    """
    share = f"{fill.share:.1%}" if fill.share < 1 else "nearly all"
    seen = f"{share} of its pixels are {fill.value:.10g}, but no nodata tag declares it"
    if taken:
        return f"{seen}: nodata where {'any band has' if anywhere else 'all bands have'} it"
    return f"{seen}: they are mapped as ground, unless `nodata` {fill.value:.10g} makes them nodata"


def _alike_values(values: NDArray[np.generic]) -> list[float]:
    if len(values) < ALIKE_BANDS:
        return []
    alike = values[0, (values == values[0]).all(axis=0)]
    found, counts = np.unique(alike, return_counts=True)
    order = np.argsort(counts)[::-1][:8]
    return [float(found[k]) for k in order if counts[k] >= STRETCH]


def _outlying_values(values: NDArray[np.generic]) -> list[float]:
    """The smallest and largest value of each band, where they are far from all others."""
    outlying = []
    for band in values:
        found, counts = np.unique(band, return_counts=True)
        if len(found) < 3 or band.dtype.itemsize == 1:
            continue
        for end, next_one in ((0, 1), (-1, -2)):
            rest = np.delete(found, end)
            gap = abs(float(found[end]) - float(found[next_one]))
            if counts[end] >= STRETCH and gap > float(rest[-1]) - float(rest[0]):
                outlying.append(float(found[end]))
    return outlying


def _has(part: Part, value: float) -> NDArray[np.bool_]:
    """(rows, cols) True for valid pixels that the value marks."""
    return part.valid & is_fill(part.numbers, value)


def is_fill(numbers: NDArray[np.generic], value: float) -> NDArray[np.bool_]:
    """(rows, cols) True for pixels with the value in all bands, or in one if it is extreme."""
    same = numbers == value
    alike = same.all(axis=0) if len(same) >= ALIKE_BANDS else same.any(axis=0)
    return alike | (same.any(axis=0) & _is_extreme(value, numbers.dtype))


def _scattered_fill(sample: Sample, values: Sequence[float]) -> tuple[Fill, ...]:
    """Those of the values that mark some share of a sample, in stretches or not."""
    total = max(sum(int(part.valid.sum()) for part in sample.parts), 1)
    shares = (
        sum(int(_has(part, value).sum()) for part in sample.parts) / total for value in values
    )
    return tuple(
        Fill(value, share)
        for value, share in zip(values, shares, strict=True)
        if share >= LEAST_SHARE
    )


def _usual_fills(dtype: np.dtype[np.generic], radiometry: Radiometry) -> tuple[float, ...]:
    """The values that no ground has in all bands at once, and that files use for fill."""
    return tuple(
        value for value in USUAL if can_hold(dtype, value) and is_certain(value, dtype, radiometry)
    )


def _is_extreme(value: float, dtype: np.dtype[np.generic]) -> bool:
    """Whether files use the value for fill and no band measures it."""
    return value <= -999 or (_is_wide(dtype) and value == _ends(dtype)[1])


def _is_wide(dtype: np.dtype[np.generic]) -> bool:
    """Whether it is an integer type whose ends no sensor reaches."""
    return dtype.kind in "iu" and dtype.itemsize > 1


def _ends(dtype: np.dtype[np.generic]) -> tuple[float, float]:
    """The smallest number of a type, NaN instead of 0, and the largest one."""
    limits = np.iinfo(np.dtype(dtype.name).type(0))
    return (float(limits.min) or math.nan, float(limits.max))


def _has_stretch(marked: NDArray[np.bool_]) -> bool:
    """Whether `STRETCH` marked pixels follow each other in a row or column."""
    for lines in (marked, marked.T):
        length = min(STRETCH, lines.shape[1])
        sums = np.cumsum(np.pad(lines, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
        if (sums[:, length:] - sums[:, :-length] == length).any():
            return True
    return False
