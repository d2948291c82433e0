"""Confidence layers: how sure each label is, and how much of what the model looks at is unknown.

They have two bands of percent. Older ones have one, in which 128 was added to the percent where
something unknown was near; as they leave open how near, all of it is read as the nearest.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from geosrseg.core.labels import CERTAIN
from geosrseg.core.legend import NODATA
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.qml import Ramp

RAMP = Ramp(0, CERTAIN, "%")
"""How QGIS draws the first band."""

_NEAR = 128


def confidence_profile(grid: Grid, tags: Mapping[str, str]) -> CogProfile:
    """What a confidence layer is, except its pixels."""
    return CogProfile(
        grid=grid,
        bands=("confidence", "doubt"),
        dtype="uint8",
        nodata=NODATA,
        overviews=Resampling.nearest,
        units="percent",
        tags={**tags, "GEOSRSEG_CONFIDENCE": f"0 to {CERTAIN}: percent"},
    )


def as_confidence(values: NDArray[np.generic], *, name: str) -> NDArray[np.uint8]:
    """The pixels of a confidence layer, of this version or an older one.

    Args:
        values: (bands, rows, cols) all that the file holds.
        name: what messages call it.

    Returns:
        (2, rows, cols) percent of confidence and of doubt, or NODATA.

    Raises:
        OutputError: it is no confidence layer.
    """
    if values.dtype != np.uint8 or len(values) not in (1, 2):
        raise OutputError(
            f"{name}: has {len(values)} bands of {values.dtype}, expected a confidence layer: two "
            "bands of uint8, as predict writes them with `confidence`"
        )
    found = values.astype(np.uint8, copy=False)
    percent = found
    if len(found) == 1:
        empty = found == NODATA
        near = (found >= _NEAR) & ~empty
        doubt = np.where(empty, NODATA, near * np.uint8(CERTAIN))
        percent = np.concatenate([np.where(near, found - _NEAR, found), doubt]).astype(np.uint8)
    foreign = (percent > CERTAIN) & (percent != NODATA)
    if foreign.any():
        value = np.broadcast_to(found, percent.shape)[foreign][0]
        raise OutputError(
            f"{name}: holds {value}, expected a confidence layer: 0 to {CERTAIN} percent, or "
            f"{NODATA}; predict writes one with `confidence`"
        )
    return percent
