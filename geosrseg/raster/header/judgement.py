"""Judgement: whether a scene's reflectances can be, and whether the model has seen such ones."""

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
    vegetation_share,
)

FAR_BELOW, FAR_ABOVE = -1.0, 20.0
"""Model inputs, before they are clipped to 0 to 1, that no band's median has."""

DARK = 0.02
"""Model input that the brightest pixels of any band exceed, if it is day."""

BRIGHT = 0.5
"""Reflectance below which some pixel of some band lies."""

TIMES_BETTER = 1.5
"""How much better another convention fits than a scale of nobody's before it is named."""

LEVEL_1 = -5000.0
"""Offset over scale of Landsat Collection 2 Level 1, whatever the sun's elevation."""

UNUSUAL = 0.05
"""Share of pixels outside of what the model learned from that is worth a warning."""

MARGIN = 0.05
"""Of a band's range, by which a pixel may exceed it: sharper images have a little more."""

OFFSET_MATTERS = 1e-6


@dataclass(frozen=True, slots=True)
class BandOutside:
    """How far one band is from what the model learned from.

    Attributes:
        name: of the band.
        share: of the pixels that are lower or higher.
        median: reflectance in the scene.
        low: what nearly all training pixels exceed.
        high: what nearly none exceeds.
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
    """Compare reflectances with what reflectance can be.

    Args:
        values: (bands, pixels), a sample of the valid digital numbers.
        radiometry: what is taken for theirs, whoever stated it.
        spec: of the model.
        insisted: the user gave scale and offset.

    Returns:
        A warning; empty where all is well.

    Raises:
        SceneError: it cannot be.
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
    """What is wrong with a scale or an offset that no product has without the other."""
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
    reflectances = [
        f"{spec.bands[k]} {value:.3g}" for k, value in enumerate(_medians(values, radiometry))
    ]
    if (medians < FAR_BELOW).any() or (medians > FAR_ABOVE).any():
        return f"its medians would be {', '.join(reflectances)}, which is no reflectance"
    if (brightest < DARK).all():
        return f"all values are about 0 ({', '.join(reflectances)})"
    if not is_reflectance(spec):
        return ""
    if why := implausible(_reflectance(values, radiometry), spec.bands):
        return why
    darkest = _darkest(values, radiometry)
    if darkest > BRIGHT and best_convention(values, spec):
        return f"no pixel is darker than {darkest:.2g} in any band"
    return ""


def _lacks_offset(values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec) -> bool:
    """The offset of Sentinel-2 is not stated, and nothing dark: of all that has its scale."""
    if not all(TEN_THOUSANDTHS.is_of(*pair) for pair in _pairs(radiometry)):
        return False
    reflectance = _reflectance(values, radiometry)
    if np.quantile(reflectance, 0.01) < LEAST_WITH_OFFSET:
        return False
    return has_offset_of_sentinel_2(reflectance, spec) or (
        bool(spec.domain.quantiles) and best_convention(values, spec) is SENTINEL_2
    )


def _better(values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec, said: str) -> str:
    """Another convention, where the stated one is none and fits worse."""
    pairs = _pairs(radiometry)
    known = any(all(each.is_of(*pair) for pair in pairs) for each in CONVENTIONS)
    known |= all(abs(offset / scale / LEVEL_1 - 1) < 0.01 for scale, offset in pairs)
    if known or not spec.domain.quantiles:
        return ""
    fitting = best_convention(values, spec)
    if fitting is None:
        return ""
    bands = len(values)
    here = misfit(values, spec, radiometry.scale, radiometry.offset)
    there = misfit(values, spec, (fitting.scale,) * bands, (fitting.offset,) * bands)
    if here < TIMES_BETTER * there and not _hides_vegetation(values, radiometry, spec, fitting):
        return ""
    return (
        f"with its {said} it is unlike what {spec.name} learned from; as {fitting.name} it would "
        f"be like it: {fitting.option}"
    )


def _hides_vegetation(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec, fitting: Convention
) -> bool:
    """Nothing is green, as where an offset is missing, and by the convention some of it is."""
    green = vegetation_share(fitting.reflectance(values), spec.bands)
    here = vegetation_share(_reflectance(values, radiometry), spec.bands)
    return is_reflectance(spec) and here < LEAST_SHARE <= green


def find_outside(
    values: NDArray[np.generic], radiometry: Radiometry, spec: ModelSpec
) -> tuple[float, tuple[BandOutside, ...]]:
    """How much of a scene lies outside of what the model learned from.

    Returns:
        The share of the pixels of which any band does, and each band.
    """
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
        radiometry: of the scene.
        spec: of the model.
        reflectance: the scene's kind, as `Domain.reflectance` has it.
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
    """The header with a warning for all in which the scene is unlike what the model learned from.

    Args:
        header: of the scene.
        values: (bands, pixels) a sample of its valid digital numbers.
        spec: of the model.
        options: what the scene is opened for.

    Raises:
        SceneError: its reflectances cannot be, or its pixels are of a size that the model is
            not meant for.
    """
    size = check_resolution(header.grid, spec, insisted=options.any_resolution)
    radiometry = check_radiometry(
        values, header.radiometry, spec, insisted=options.offset is not None
    )
    unlike = describe_outside(values, header.radiometry, spec, reflectance=header.reflectance)
    found = tuple(filter(None, (size, radiometry, *unlike)))
    unknown = (
        ""
        if spec.domain.resolutions
        else (f"{spec.name} does not say what pixels it learned from: see if its map can be right")
    )
    warnings = (*header.warnings, *found, unknown)
    return replace(header, warnings=tuple(filter(None, warnings)), unlike=found)


def check_resolution(grid: Grid, spec: ModelSpec, *, insisted: bool) -> str:
    """Compare a scene's pixels with those that the model learned from.

    Args:
        grid: of the scene.
        spec: of the model.
        insisted: the user wants any resolution.

    Returns:
        A warning; empty where it is like the training data, or not known.

    Raises:
        SceneError: the model is not meant for such pixels.
    """
    domain, found = spec.domain, ground_resolution(grid)
    if found is None or not domain.resolutions:
        return ""
    if domain.learned_from(found):
        return ""
    learned = f"{spec.name} learned from {domain.resolution:g} m"
    if domain.is_offered_for(found):
        return (
            f"its pixels are {found:.4g} m, {learned}: the map's detail is as plausible as the "
            "model's, and no reference has checked it"
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


def _medians(values: NDArray[np.generic], radiometry: Radiometry) -> list[float]:
    return np.median(_reflectance(values, radiometry), axis=1).tolist()


def _darkest(values: NDArray[np.generic], radiometry: Radiometry) -> float:
    """What all but the darkest hundredth of all bands exceeds."""
    return float(np.quantile(_reflectance(values, radiometry), 0.01))


def _pairs(radiometry: Radiometry) -> list[tuple[float, float]]:
    """The scale and the offset of each band."""
    return list(zip(radiometry.scale, radiometry.offset, strict=True))


def _remedy(values: NDArray[np.generic], spec: ModelSpec) -> str:
    if fitting := advice(values, spec):
        return f"its numbers {fitting}"
    return (
        f"give the scale and offset that its numbers have, such as {TEN_THOUSANDTHS.option} for "
        f"{TEN_THOUSANDTHS.name}"
    )


def _same(numbers: tuple[float, ...]) -> str:
    """One number where all bands have the same, else all of them."""
    return ", ".join(f"{number:g}" for number in dict.fromkeys(numbers))
