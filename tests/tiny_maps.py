"""Class maps as `predict` publishes them, for the tests of what is made from them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rasterio.enums import Resampling

from geosrseg.core.legend import NODATA, Legend
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import STALE, CogProfile, write_cog
from geosrseg.raster.storage.publication import open_drafts, publish


def write_class_map(
    path: Path,
    labels: np.ndarray,
    *,
    grid: Grid,
    legend: Legend,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write (rows, cols) uint8 class ids; an existing map is replaced."""
    profile = CogProfile(
        grid=grid,
        bands=("class",),
        dtype="uint8",
        nodata=NODATA,
        overviews=Resampling.mode,
        legend=legend,
        tags=tags or {},
    )
    with open_drafts(path) as folder:
        publish(write_cog(folder, path, profile, [labels[None]]), path, stale=STALE)
    return path
