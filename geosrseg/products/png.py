"""Encodes a picture as the bytes of a PNG or JPEG file."""

import numpy as np
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from geosrseg.raster.storage.gdal import unreferenced_allowed


def encode_picture(pixels: NDArray[np.uint8], driver: str, **options: int) -> bytes:
    """(rows, cols, 3) red, green and blue as a file of GDAL's driver, with its options."""
    height, width = pixels.shape[:2]
    profile = {"driver": driver, "dtype": "uint8", "count": 3, **options}
    with MemoryFile() as memory:
        with unreferenced_allowed(), memory.open(height=height, width=width, **profile) as dataset:
            dataset.write(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        return bytes(memory.getbuffer())


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """(rows, cols, 3) red, green and blue as a PNG."""
    return encode_picture(pixels, "PNG", zlevel=9)
