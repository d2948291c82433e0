"""Confidence layers: how sure each label is, and how near to it unknown ground is.

They have two bands of percent. Older ones have one, in which 128 was added to the percent where
something unknown was near; as they leave open how near, all of it is read as the nearest.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from geosrseg.core.labels import CERTAIN
from geosrseg.core.legend import NODATA
from geosrseg.core.text.counted import counted
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


def check_layer(dataset: DatasetReader, path: Path, grid: Grid) -> None:
    """Refuse a layer that does not lie on the grid of its map.

    Raises:
        OutputError: it lies elsewhere.
    """
    if (*dataset.shape, dataset.transform) != (grid.height, grid.width, grid.transform):
        raise OutputError(
            f"{path}: is not on the grid of the class map, {grid.width} x {grid.height} pixels: "
            "predict writes the layers of a map with it"
        )


def check_confidence(dataset: DatasetReader, path: Path, grid: Grid) -> None:
    """Refuse a file that cannot be the confidence layer of a map, before it is read.

    Args:
        dataset: the open file.
        path: what messages call it.
        grid: of the map.

    Raises:
        OutputError: it lies elsewhere, or has other bands.
    """
    check_layer(dataset, path, grid)
    if dataset.count > 2 or set(dataset.dtypes) != {"uint8"}:
        raise OutputError(
            f"{path}: has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}, "
            "expected a confidence layer: two bands of uint8, as predict writes "
            "them with `confidence`"
        )


def without_gaps(percent: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(2, rows, cols) percent: what has none is not sure at all, and all in doubt."""
    nothing = np.array([0, CERTAIN], np.uint8)[:, None, None]
    return np.where(percent == NODATA, nothing, percent)


def as_confidence(found: NDArray[np.uint8], *, name: str) -> NDArray[np.uint8]:
    """The pixels of a confidence layer, of this version or an older one.

    Args:
        found: (bands, rows, cols) of a file that `check_confidence` lets pass.
        name: what messages call it.

    Returns:
        (2, rows, cols) percent of confidence and of doubt, or NODATA.

    Raises:
        OutputError: a value is no percent.
    """
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
