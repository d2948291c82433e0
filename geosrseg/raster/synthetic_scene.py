"""Synthetic scene: a reproducible Landsat-like GeoTIFF of any size."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window as RasterioWindow

from geosrseg.core.normalize import Normalization

STRIP = 256
"""Rows generated at once, so that memory grows with the width only."""

CELLS = (64, 16, 4, 1)
"""Pixels along a side of the squares that share a value: fields, houses, noise."""

WEIGHTS = (0.4, 0.3, 0.2, 0.1)

CORNER = 4
"""The nodata triangle at the upper left spans 1/4 of the shorter side: 1/32 of a square scene."""

SCALE = 1e-4
NODATA = -9999


def write_synthetic_scene(
    path: Path,
    *,
    height: int,
    width: int,
    bands: Sequence[str],
    normalization: Normalization,
    seed: int = 0,
) -> None:
    """Write a scene of int16 reflectance x 10,000: random squares, and a corner of nodata.

    Args:
        normalization: gives the range of reflectance of each band.
    """
    profile = {"driver": "GTiff", "dtype": "int16", "tiled": True, "nodata": NODATA}
    size = {"count": len(bands), "height": height, "width": width}
    grid = {"crs": "EPSG:32636", "transform": Affine(30, 0, 700_000, 0, -30, 830_000)}
    low, high = (
        np.array(limits)[:, None, None] for limits in (normalization.low, normalization.high)
    )
    with rasterio.open(path, "w", **profile, **size, **grid) as file:
        for top in range(0, height, STRIP):
            rows = min(STRIP, height - top)
            random = np.random.default_rng((seed, top))
            reflectance = low + (high - low) * _squares(random, len(bands), rows, width)
            numbers = np.round(reflectance / SCALE).clip(-32768, 32767).astype(np.int16)
            row, col = np.ogrid[top : top + rows, :width]
            numbers[:, row + col < min(height, width) // CORNER] = NODATA
            file.write(numbers, window=RasterioWindow(0, top, width, rows))
        file.scales, file.descriptions = (SCALE,) * len(bands), tuple(bands)


def _squares(random: np.random.Generator, bands: int, rows: int, cols: int) -> NDArray[np.float32]:
    """Return (bands, rows, cols) from 0 to 1."""
    image = np.zeros((bands, rows, cols), np.float32)
    for cell, weight in zip(CELLS, WEIGHTS, strict=True):
        coarse = random.random((bands, -(-rows // cell), -(-cols // cell)), np.float32)
        image += weight * coarse.repeat(cell, axis=1).repeat(cell, axis=2)[:, :rows, :cols]
    return image
