"""PNG: encodes a picture as the bytes of a PNG file."""

import numpy as np
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from geosrseg.raster.storage.gdal import unreferenced_allowed


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """(rows, cols, 3) red, green and blue as a PNG."""
    height, width = pixels.shape[:2]
    with MemoryFile() as memory:
        with (
            unreferenced_allowed(),
            memory.open(
                driver="PNG", dtype="uint8", count=3, height=height, width=width, zlevel=9
            ) as dataset,
        ):
            dataset.write(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        return bytes(memory.getbuffer())
