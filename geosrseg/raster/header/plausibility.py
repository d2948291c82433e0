"""Plausibility: limits of ground reflectance, independent of any model.

The limits are wider than the values of 340 Landsat and Sentinel-2 scenes from all continents,
including deserts, open sea and ice. There the brightest median of a band is 0.95, the darkest
tenth is above -0.02, and vegetation has 0.13 to 0.38 in near infrared.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.spec import ModelSpec
from geosrseg.raster.header.band_names import canonical_name

BRIGHTEST = 2.0
"""Reflectance that no band's median exceeds."""

DARKEST = -0.03
"""Reflectance; at most one band has more than `DARK_SHARE` of its pixels below it."""

DARK_SHARE = 0.1

VEGETATION = (0.08, 0.7)
"""Range of the median reflectance of a scene's vegetation in near infrared."""

LEAF = 0.5
"""Normalized difference of near infrared and red above which a pixel is vegetation. It does not
depend on the scale, but on the offset."""

LEAST_SHARE = 0.02
"""Least share of vegetation in a scene to judge it by."""

_ENOUGH = 20_000


def is_reflectance(spec: ModelSpec) -> bool:
    """Whether the model's bands are reflectance, rather than the brightness of a picture."""
    return bool(spec.domain.reflectance) or spec.normalization.high != (1.0,) * len(spec.bands)


def vegetation_share(
    reflectance: NDArray[np.floating], bands: Sequence[str], *, least: float = LEAF
) -> float:
    """The share of vegetation pixels; 0 without red and near infrared."""
    is_leaf, _ = _vegetation(reflectance, bands, least)
    return float(is_leaf.mean()) if is_leaf.size else 0.0


def implausible(reflectance: NDArray[np.floating], bands: Sequence[str]) -> str:
    """Why no ground can have these (bands, pixels) reflectances; empty where some can."""
    reflectance = reflectance[:, :: max(1, reflectance.shape[1] // _ENOUGH)]
    medians = np.median(reflectance, axis=1)
    if medians.max() > BRIGHTEST:
        return f"its medians would be {listed_by_band(bands, medians)}, which is not a reflectance"
    darkest = np.quantile(reflectance, DARK_SHARE, axis=1)
    if (darkest < DARKEST).sum() > 1:
        return f"its darkest tenth would be below 0 ({listed_by_band(bands, darkest)})"
    is_leaf, near_infrared = _vegetation(reflectance, bands, LEAF)
    if is_leaf.size and is_leaf.mean() >= LEAST_SHARE:
        found = float(np.median(near_infrared[is_leaf]))
        if not VEGETATION[0] <= found <= VEGETATION[1]:
            return (
                f"its vegetation would have the reflectance {found:.2g} in near infrared, but "
                "plants have 0.1 to 0.6"
            )
    return ""


def _vegetation(
    reflectance: NDArray[np.floating], bands: Sequence[str], least: float
) -> tuple[NDArray[np.bool_], NDArray[np.floating]]:
    """(pixels) True for vegetation, and near infrared; both empty without the bands."""
    names = [canonical_name(name) for name in bands]
    if "red" not in names or "nir" not in names:
        return np.empty(0, np.bool_), np.empty(0)
    red, nir = reflectance[names.index("red")], reflectance[names.index("nir")]
    return (nir > 0) & (nir - red > least * (nir + red)), nir


def listed_by_band(bands: Sequence[str], values: NDArray[np.floating]) -> str:
    """One value per band, as text."""
    return ", ".join(f"{name} {value:.3g}" for name, value in zip(bands, values, strict=True))
