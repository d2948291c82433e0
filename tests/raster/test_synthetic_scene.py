"""A Landsat-like scene of any size."""

import numpy as np
import pytest
import rasterio

from geosrseg.core.normalize import Normalization
from geosrseg.core.tiling.windows import Window
from geosrseg.raster.scene import open_scene
from geosrseg.raster.synthetic_scene import write_synthetic_scene

BANDS = ("red", "nir")
NORMALIZATION = Normalization((0.0, 0.1), (0.5, 0.3), (0.2, 0.2))


@pytest.fixture
def write(tmp_path):
    def write(name="scene.tif", *, height=300, width=70, seed=0):
        path = tmp_path / name
        write_synthetic_scene(
            path, height=height, width=width, bands=BANDS, normalization=NORMALIZATION, seed=seed
        )
        return path

    return write


def test_it_is_a_scene_that_predict_takes_as_it_is(write):
    with open_scene(write(), model_bands=BANDS) as scene:
        numbers, valid = scene.read(Window(0, 0, 300, 70))
        assert (scene.grid.height, scene.grid.width) == (300, 70)
        assert not scene.warnings
        scales, offsets = (
            np.reshape(v, (-1, 1, 1)) for v in (scene.radiometry.scale, scene.radiometry.offset)
        )
        reflectance = numbers * scales + offsets
    for band, (low, high) in enumerate(((0.0, 0.5), (0.1, 0.3))):
        inside = reflectance[band][valid]
        assert low - 1e-4 <= inside.min() < inside.max() <= high + 1e-4
        assert np.ptp(inside) > (high - low) / 2


def test_a_corner_has_no_data(write):
    with rasterio.open(write()) as file:
        valid = file.read_masks(1) > 0
    rows, cols = np.mgrid[:300, :70]
    assert np.array_equal(valid, rows + cols >= 70 // 4)


def test_it_is_always_the_same_but_for_the_seed(write):
    def pixels(path):
        with rasterio.open(path) as file:
            return file.read()

    first, again, other = (pixels(write(f"{i}.tif", seed=seed)) for i, seed in enumerate((1, 1, 2)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
