"""Confidence layers: how sure each label is, and how much nearby unknown ground puts it in doubt.

A layer has two bands of percent, confidence and doubt. Older layers have one band, with 128 added
where unknown ground was near; they do not say how near, so such pixels are read as full doubt.
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
"""Colour ramp of the first band in QGIS."""

_NEAR = 128


def confidence_profile(grid: Grid, tags: Mapping[str, str]) -> CogProfile:
    """Return the profile of a confidence layer."""
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
    """Refuse a layer that is not on the grid of its map.

    Raises:
        OutputError: the grids differ.
    """
    if (*dataset.shape, dataset.transform) != (grid.height, grid.width, grid.transform):
        raise OutputError(
            f"{path}: is not on the grid of the class map, {grid.width} x {grid.height} pixels: "
            "use the layer that predict wrote with this map"
        )


def check_confidence(dataset: DatasetReader, path: Path, grid: Grid) -> None:
    """Refuse a file that cannot be the confidence layer of a map, before it is read.

    Args:
        dataset: the open file.
        path: name of the file in messages.
        grid: the grid of the map.

    Raises:
        OutputError: the file is on another grid, or has other bands.
    """
    check_layer(dataset, path, grid)
    if dataset.count > 2 or set(dataset.dtypes) != {"uint8"}:
        raise OutputError(
            f"{path}: has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}, "
            "expected a confidence layer: two bands of uint8, as predict writes "
            "them with `confidence`"
        )


def without_gaps(percent: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace NODATA in (2, rows, cols) percent by a confidence of 0 and a doubt of 100."""
    nothing = np.array([0, CERTAIN], np.uint8)[:, None, None]
    return np.where(percent == NODATA, nothing, percent)


def as_confidence(found: NDArray[np.uint8], *, name: str) -> NDArray[np.uint8]:
    """Convert the pixels of a confidence layer, of this version or an older one.

    Args:
        found: (bands, rows, cols) of a file that `check_confidence` accepts.
        name: name of the file in messages.

    Returns:
        (2, rows, cols) percent of confidence and of doubt, or NODATA.

    Raises:
        OutputError: a value is neither 0 to 100 nor NODATA.
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
