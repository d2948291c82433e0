"""Plausibility: what reflectance of the ground can be, whatever a model learned from.

The limits are wide of what 340 scenes of Landsat and Sentinel-2 from all continents have, deserts,
open sea and ice among them: there the brightest median of a band is 0.95, the darkest tenth
is above -0.02, and vegetation has 0.13 to 0.38 in near infrared.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.spec import ModelSpec
from geosrseg.raster.header.band_names import canonical_name

BRIGHTEST = 2.0
"""Reflectance that no band's median exceeds."""

DARKEST = -0.03
"""Reflectance below which less than `DARK_SHARE` of the pixels of two bands are."""

DARK_SHARE = 0.1

VEGETATION = (0.08, 0.7)
"""Reflectance of vegetation in near infrared: its median in a scene."""

LEAF = 0.5
"""Normalized difference of near infrared and red above which a pixel is vegetation, whatever the
scale is; an offset changes it."""

LEAST_SHARE = 0.02
"""Of a scene's pixels that are vegetation, for it to tell anything."""

_ENOUGH = 20_000


def is_reflectance(spec: ModelSpec) -> bool:
    """The model's bands are reflectance, rather than the brightness of a picture."""
    return bool(spec.domain.reflectance) or spec.normalization.high != (1.0,) * len(spec.bands)


def vegetation_share(
    reflectance: NDArray[np.floating], bands: Sequence[str], *, least: float = LEAF
) -> float:
    """The share of pixels that are vegetation; 0 where the bands do not tell."""
    is_leaf, _ = _vegetation(reflectance, bands, least)
    return float(is_leaf.mean()) if is_leaf.size else 0.0


def implausible(reflectance: NDArray[np.floating], bands: Sequence[str]) -> str:
    """Why these are no reflectances of any ground; empty where they may be.

    Args:
        reflectance: (bands, pixels), a sample of the valid ones.
        bands: their names.
    """
    reflectance = reflectance[:, :: max(1, reflectance.shape[1] // _ENOUGH)]
    medians = np.median(reflectance, axis=1)
    if medians.max() > BRIGHTEST:
        return f"its medians would be {_listed(bands, medians)}, which is no reflectance"
    darkest = np.quantile(reflectance, DARK_SHARE, axis=1)
    if (darkest < DARKEST).sum() > 1:
        return f"its darkest tenth would be below 0 ({_listed(bands, darkest)})"
    is_leaf, near_infrared = _vegetation(reflectance, bands, LEAF)
    if is_leaf.size and is_leaf.mean() >= LEAST_SHARE:
        found = float(np.median(near_infrared[is_leaf]))
        if not VEGETATION[0] <= found <= VEGETATION[1]:
            return (
                f"its vegetation would have the reflectance {found:.2g} in near infrared, and "
                "plants have 0.1 to 0.6"
            )
    return ""


def _vegetation(
    reflectance: NDArray[np.floating], bands: Sequence[str], least: float
) -> tuple[NDArray[np.bool_], NDArray[np.floating]]:
    """(pixels) True where it is vegetation, and near infrared; empty where the bands lack."""
    names = [canonical_name(name) for name in bands]
    if "red" not in names or "nir" not in names:
        return np.empty(0, np.bool_), np.empty(0)
    red, nir = reflectance[names.index("red")], reflectance[names.index("nir")]
    return (nir > 0) & (nir - red > least * (nir + red)), nir


def _listed(bands: Sequence[str], medians: NDArray[np.floating]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in zip(bands, medians, strict=True))
