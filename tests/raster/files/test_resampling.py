"""Windows read on the scene's grid equal GDAL's resampling of the whole file.

Flags and further values of missing pixels are compared with what a loop over the pixels says.
"""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from geosrseg.core.tiling.windows import Window as OwnWindow
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


@pytest.fixture
def write_20_m(tmp_path):
    """Write (12, 12) numbers with pixels of 20 m and return the path."""

    def write(numbers):
        path = tmp_path / "b.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=1, height=12, width=12, dtype=numbers.dtype.name,
            crs=UTM, transform=grid(20, 12).transform,
        ) as dataset:  # fmt: skip
            dataset.write(numbers, 1)
        return path

    return write


@pytest.mark.parametrize(("metres", "side"), [(10, 24), (30, 8), (60, 4)])
@pytest.mark.parametrize(("dtype", "value"), [("uint16", 65535), ("float32", -3.40282e38)])
def test_no_mean_includes_a_further_value(write_20_m, metres, side, dtype, value):
    numbers = np.full((12, 12), 3000, dtype)
    numbers[5, 7] = value
    how = Resampled(grid=grid(metres, side), own=grid(20, 12), nodata=0, fills=(value,))
    with rasterio.open(write_20_m(numbers)) as dataset, how.open(dataset) as opened:
        found = opened.read(1, window=Window(0, 0, side, side))
    assert set(np.unique(found)) <= {0, 3000}
    assert (found == 0).any() == (metres == 10)


@pytest.mark.parametrize(("metres", "side"), [(10, 24), (30, 8), (60, 4), (30, 9)])
def test_any_flag_inside_a_pixel_marks_it(write_20_m, metres, side):
    flags = np.where(np.random.default_rng(2).random((12, 12)) < 0.1, 8, 4).astype(np.uint8)
    fine = np.zeros((28, 28), bool)  # of 10 m; what is beyond the file has no flag
    fine[:24, :24] = (flags == 8).repeat(2, 0).repeat(2, 1)
    each = metres // 10
    expected = [
        [fine[r : r + each, c : c + each].any() for c in range(0, side * each, each)]
        for r in range(0, side * each, each)
    ]
    how = Resampled(grid=grid(metres, side), own=grid(20, 12), flags=True)
    with rasterio.open(write_20_m(flags)) as dataset, how.open(dataset) as opened:
        found = opened.read_marked(1, lambda values: values == 8, OwnWindow(0, 0, side, side))
        beyond = opened.read_marked(1, lambda values: values == 0, OwnWindow(0, 0, side, side))
    assert np.array_equal(found, expected)
    assert beyond.sum() == (2 * 9 - 1 if side == 9 else 0)
