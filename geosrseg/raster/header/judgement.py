"""Judges whether a scene's reflectances are possible, and whether they are like the training data.

`compared` is the entry point; `geosrseg.raster.scene` calls it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.domain import BOTH
from geosrseg.core.normalize import Radiometry
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.resolution import ground_resolution
from geosrseg.raster.header.conventions import (
    COLLECTION_2,
    CONVENTIONS,
    LEAST_WITH_OFFSET,
    SENTINEL_2,
    TEN_THOUSANDTHS,
    Convention,
    advice,
    best_convention,
    has_offset_of_sentinel_2,
    misfit,
)
from geosrseg.raster.header.header import SceneHeader, SceneOptions
from geosrseg.raster.header.plausibility import (
    LEAST_SHARE,
    implausible,
    is_reflectance,
    listed_by_band,
    vegetation_share,
)

FAR_BELOW, FAR_ABOVE = -1.0, 20.0
"""Limits of a band's median as model input, before inputs are clipped to 0 to 1."""

DARK = 0.02
"""Model input that the brightest pixels of some band exceed in daylight."""

BRIGHT = 0.5
"""Reflectance below which every scene has pixels in some band."""

TIMES_BETTER = 1.5
"""Factor by which a convention must fit better than an unknown scale to be recommended."""

LEVEL_1 = -5000.0
"""Offset over scale of Landsat Collection 2 Level 1, whatever the sun's elevation."""

UNUSUAL = 0.05
"""Share of pixels unlike the training data that is worth a warning."""

MARGIN = 0.05
"""Share of a band's range by which a pixel may exceed it, as pixels of sharper images do."""

OFFSET_MATTERS = 1e-6


@dataclass(frozen=True, slots=True)
class BandOutside:
    """How one band differs from the training data.

    Attributes:
        share: share of the pixels below `low` or above `high`.
        median: reflectance in the scene.
        low: reflectance that nearly all training pixels exceed.
        high: reflectance that nearly none exceeds.
    """

    name: str
    share: float
    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"{self.name} {self.share:.0%} (median {self.median:.3g}, learned {self.low:.3g} to "
            f"{self.high:.3g})"
        )


def check_radiometry(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec, *, insisted: bool
) -> str:
    """Check that a radiometry gives possible reflectances.

    Args:
        values: (bands, pixels), a sample of the valid digital numbers.
        radiometry: as the file states it, as it was inferred, or as the user gave it.
        insisted: the user gave the offset.

    Returns:
        A warning, or empty.

    Raises:
        SceneError: the reflectances are impossible.
    """
    if not values.size:
        return ""
    said = f"scale {_same(radiometry.scale)} and offset {_same(radiometry.offset)}"
    half = _half_stated(values, radiometry, spec)
    if half and not insisted:
        raise SceneError(f"with its {said} {half}")
    if why := _impossible(values, radiometry, spec):
        raise SceneError(f"with its {said}, {why}: {_remedy(values, spec)}")
    if half:
        return f"with its {said} {half}"
    if _lacks_offset(values, radiometry, spec):
        return (
            f"with its {said} no pixel is darker than {_darkest(values, radiometry):.2g}, and "
            f"{SENTINEL_2.name} has an offset: if it is that, give {SENTINEL_2.option}"
        )
    return _better(values, radiometry, spec, said)


def _half_stated(values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec) -> str:
    """The fault of a scale or offset that no product has without the other; else empty."""
    scales, offsets = set(radiometry.scale), set(radiometry.offset)
    is_plain = all(abs(offset) <= OFFSET_MATTERS for offset in offsets)
    if is_plain and all(COLLECTION_2.is_of(scale, COLLECTION_2.offset) for scale in scales):
        darkest = f"no pixel is darker than {_darkest(values, radiometry):.2g}"
        if best_convention(values, spec) in (COLLECTION_2, None):
            return (
                f"{darkest}, and {COLLECTION_2.name} has an offset: give {COLLECTION_2.option}, "
                "or `offset` 0 if it has none"
            )
        return f"it has the scale of {COLLECTION_2.name} without its offset: its numbers " + advice(
            values, spec
        )
    if scales == {1.0} and not is_plain and is_reflectance(spec):
        return f"it has an offset without a scale, as no product has: {_remedy(values, spec)}"
    return ""


def _impossible(values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec) -> str:
    inputs = _inputs(values, radiometry, spec)
    medians, brightest = np.median(inputs, axis=1), np.quantile(inputs, 0.99, axis=1)
    reflectance = _reflectance(values, radiometry)
    listed = listed_by_band(spec.bands, np.median(reflectance, axis=1))
    if (medians < FAR_BELOW).any() or (medians > FAR_ABOVE).any():
        return f"its medians would be {listed}, which is not a reflectance"
    if (brightest < DARK).all():
        return f"all values are too low for reflectance ({listed})"
    if not is_reflectance(spec):
        return ""
    if why := implausible(reflectance, spec.bands):
        return why
    darkest = _darkest(values, radiometry)
    if darkest > BRIGHT and best_convention(values, spec):
        return f"no pixel is darker than {darkest:.2g} in any band"
    return ""


def _lacks_offset(values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec) -> bool:
    """Whether it has the scale of Sentinel-2 without its offset, and no dark pixels."""
    if not all(TEN_THOUSANDTHS.is_of(*pair) for pair in _pairs(radiometry)):
        return False
    reflectance = _reflectance(values, radiometry)
    if np.quantile(reflectance, 0.01) < LEAST_WITH_OFFSET:
        return False
    return has_offset_of_sentinel_2(reflectance, spec) or (
        bool(spec.domain.quantiles) and best_convention(values, spec) is SENTINEL_2
    )


def _better(values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec, said: str) -> str:
    """Recommend another convention where the stated one is unknown and fits worse."""
    pairs = _pairs(radiometry)
    known = any(all(each.is_of(*pair) for pair in pairs) for each in CONVENTIONS)
    known |= all(abs(offset / scale / LEVEL_1 - 1) < 0.01 for scale, offset in pairs)
    if known or not spec.domain.quantiles:
        return ""
    fitting = best_convention(values, spec)
    if fitting is None:
        return ""
    here = misfit(values, spec, radiometry)
    there = misfit(values, spec, fitting.radiometry(len(values)))
    if here < TIMES_BETTER * there and not _hides_vegetation(values, radiometry, spec, fitting):
        return ""
    return (
        f"with its {said} it is unlike what {spec.name} learned from; as {fitting.name} it would "
        f"be like it: give {fitting.option}"
    )


def _hides_vegetation(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec, fitting: Convention
) -> bool:
    """Whether there is vegetation by the convention but not as stated, as without an offset."""
    green = vegetation_share(fitting.reflectance(values), spec.bands)
    here = vegetation_share(_reflectance(values, radiometry), spec.bands)
    return is_reflectance(spec) and here < LEAST_SHARE <= green


def find_outside(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec
) -> tuple[float, tuple[BandOutside, ...]]:
    """The share of pixels with any band outside the range of the training data, and each band."""
    if not values.size:
        return 0.0, ()
    low, high = _learned_range(spec)
    margin = MARGIN * (high - low)
    reflectance = _reflectance(values, radiometry)
    outside = (reflectance < (low - margin)[:, None]) | (reflectance > (high + margin)[:, None])
    bands = tuple(
        BandOutside(name, float(share), float(median), float(least), float(most))
        for name, share, median, least, most in zip(
            spec.bands, outside.mean(axis=1), np.median(reflectance, axis=1), low, high, strict=True
        )
    )
    return float(outside.any(axis=0).mean()), bands


def describe_outside(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec, *, reflectance: str
) -> Iterator[str]:
    """How the scene differs from the training data, one line each.

    Args:
        values: (bands, pixels), a sample of the valid digital numbers.
        reflectance: the scene's kind, a value of `Domain.reflectance`.
    """
    learned = spec.domain.reflectance
    if reflectance and learned not in ("", BOTH, reflectance):
        yield f"its reflectance is {reflectance}, and {spec.name} learned from {learned}"
    share, bands = find_outside(values, radiometry, spec)
    if share > UNUSUAL:
        worst = sorted((b for b in bands if b.share > UNUSUAL / 2), key=lambda b: -b.share)
        listed = f": {', '.join(map(str, worst))}" if worst else ""
        yield f"{share:.0%} of its pixels are unlike what {spec.name} learned from{listed}"


def compared(
    header: SceneHeader, values: NDArray[np.generic], spec: ModelSpec, options: SceneOptions
) -> SceneHeader:
    """Add a warning to the header for each difference between the scene and the training data.

    Args:
        values: (bands, pixels), a sample of the valid digital numbers.

    Raises:
        SceneError: the reflectances are impossible, or the model is not meant for this pixel size.
    """
    size = check_resolution(header.grid, spec, insisted=options.any_resolution)
    radiometry = check_radiometry(
        values, header.radiometry, spec, insisted=options.offset is not None
    )
    unlike = describe_outside(values, header.radiometry, spec, reflectance=header.reflectance)
    found = tuple(filter(None, (size, radiometry, *unlike)))
    warnings = (*header.warnings, *found)
    if not spec.domain.resolutions:
        warnings += (f"{spec.name} states no pixel size it learned from: check its map yourself",)
    return replace(header, warnings=warnings, unlike=found)


def check_resolution(grid: Grid, spec: ModelSpec, *, insisted: bool) -> str:
    """Compare the pixel size of a scene with that of the training data.

    Args:
        insisted: the user accepts any resolution.

    Returns:
        A warning; empty where the size is that of the training data, or unknown.

    Raises:
        SceneError: the model is not meant for this pixel size.
    """
    domain, found = spec.domain, ground_resolution(grid)
    if found is None or not domain.resolutions or domain.learned_from(found):
        return ""
    learned = f"{spec.name} learned from {domain.resolution:g} m"
    if domain.is_offered_for(found):
        return (
            f"its pixels are {found:.4g} m, {learned}: the detail of the map is the model's guess, "
            "which no reference has checked"
        )
    if insisted:
        return f"its pixels are {found:.4g} m, {learned}: mapped as `any_resolution` says"
    meant = " or ".join(f"{value:g} m" for value in domain.resolutions)
    raise SceneError(
        f"its pixels are {found:.4g} m, and {spec.name} is for {meant}: resample it or choose "
        f"another model (see geosrseg models), or insist with `any_resolution`"
    )


def _learned_range(spec: ModelSpec) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if spec.domain.quantiles:
        quantiles = np.array(spec.domain.quantiles)
        return quantiles[:, 0], quantiles[:, -1]
    return np.array(spec.normalization.low), np.array(spec.normalization.high)


def _reflectance(values: NDArray[np.generic], radiometry: Radiometry) -> NDArray[np.float64]:
    scale, offset = np.array(radiometry.scale), np.array(radiometry.offset)
    return values * scale[:, None] + offset[:, None]


def _inputs(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec
) -> NDArray[np.float64]:
    low, high = np.array(spec.normalization.low), np.array(spec.normalization.high)
    return (_reflectance(values, radiometry) - low[:, None]) / (high - low)[:, None]


def _darkest(values: NDArray[np.generic], radiometry: Radiometry) -> float:
    """Reflectance that all but the darkest hundredth of all bands exceeds."""
    return float(np.quantile(_reflectance(values, radiometry), 0.01))


def _pairs(radiometry: Radiometry) -> list[tuple[float, float]]:
    """(scale, offset) of each band."""
    return list(zip(radiometry.scale, radiometry.offset, strict=True))


def _remedy(values: NDArray[np.generic], spec: ModelSpec) -> str:
    if fitting := advice(values, spec):
        return f"its numbers {fitting}"
    return (
        f"give the scale and offset of its numbers, such as {TEN_THOUSANDTHS.option} for "
        f"{TEN_THOUSANDTHS.name}"
    )


def _same(numbers: tuple[float, ...]) -> str:
    """Distinct numbers as text: one where all bands agree."""
    return ", ".join(f"{number:g}" for number in dict.fromkeys(numbers))
