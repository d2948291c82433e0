"""Windows read on the scene's grid equal GDAL's resampling of the whole file."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.resampling import Resampled

UTM = CRS.from_epsg(32633)
SIDE = 120


def grid(metres, side):
    return Grid(UTM, Affine(metres, 0, 499_980, 0, -metres, 8_700_000), side, side)


@pytest.mark.parametrize(("metres", "side"), [(10, 240), (20, 120), (30, 80), (60, 40), (30, 79)])
@pytest.mark.parametrize("flags", [False, True])
def test_windows_are_parts_of_the_whole(tmp_path, metres, side, flags):
    values = np.random.default_rng(1).integers(1, 5000, (SIDE, SIDE)).astype(np.uint16)
    values[:50, :40] = 0
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", count=1, height=SIDE, width=SIDE, dtype="uint16",
        crs=UTM, transform=grid(20, SIDE).transform,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    how = Resampled(
        grid=grid(metres, side), own=grid(20, SIDE), nodata=None if flags else 0, flags=flags
    )
    with rasterio.open(tmp_path / "a.tif") as dataset, how.open(dataset) as opened:
        whole = opened.read(1)  # GDAL's own VRT
        for row, col in ((0, 0), (side // 3, side // 2), (side - 13, side - 17)):
            part = opened.read(1, window=Window(col, row, 17, 13))
            expected = whole[row : row + 13, col : col + 17]
            # A mean of integers that ends in .5 may be rounded either way.
            assert np.abs(part.astype(int) - expected).max() <= (0 if flags else 1)
            assert np.array_equal(part == 0, expected == 0)
