"""Refuses rasters with blocks too large for memory."""

from collections.abc import Sequence

import numpy as np
from rasterio.io import DatasetReader

from geosrseg.errors import SceneError

MAX_BLOCK_BYTES = 2**29
"""Largest block accepted: GDAL loads a whole block to read one pixel, and a damaged header may
declare any size."""


def check_blocks(dataset: DatasetReader, indexes: Sequence[int]) -> None:
    """Raise SceneError for an open file whose blocks exceed `MAX_BLOCK_BYTES`."""
    rows, cols = dataset.block_shapes[indexes[0] - 1]
    samples = dataset.count if dataset.profile.get("interleave") == "pixel" else 1
    size = rows * cols * samples * np.dtype(dataset.dtypes[indexes[0] - 1]).itemsize
    if size > MAX_BLOCK_BYTES:
        raise SceneError(
            f"it is stored in blocks of {cols} x {rows} pixels, {size} bytes each, expected "
            f"at most {MAX_BLOCK_BYTES}: store it in tiles, with gdal_translate -co TILED=YES"
        )
