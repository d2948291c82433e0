"""Tests that an array reads as the same pixels in a file do."""

import numpy as np
import pytest

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.array_file import array_file
from geosrseg.raster.scene import open_scene

NAMES = ("green", "red", "nir")


def read(array, *, nodata_if="any", **named):
    with (
        array_file(array, band_names=NAMES, **named) as location,
        open_scene(location, model_bands=NAMES, scale=1e-4, nodata_if=nodata_if) as scene,
    ):
        return scene.read(Window(0, 0, scene.grid.height, scene.grid.width))


class TestMasks:
    @pytest.mark.parametrize("nodata_if", ["any", "all", "never"])
    @pytest.mark.parametrize(
        ("dtype", "numbers"),
        [
            ("int16", (300, 4000)),
            ("uint16", (0, 4000)),
            ("uint8", (0, 255)),  # every number of the type is a measurement
            ("float32", (300, 4000)),
        ],
    )
    @pytest.mark.parametrize("declared", [None, 300])
    def test_a_mask_of_one_band_is_of_that_band(self, nodata_if, dtype, numbers, declared):
        values = np.linspace(*numbers, 3 * 8 * 9).astype(dtype).reshape(3, 8, 9)
        masked = np.zeros(values.shape, bool)
        masked[0, 2, 3] = masked[:, 5, 6] = True
        declared = declared if np.dtype(dtype).itemsize > 1 else None
        found, valid = read(
            np.ma.masked_array(values, masked), nodata_if=nodata_if, nodata=declared
        )
        usable = ~masked if declared is None else ~masked & (values != declared)
        expected = {"any": usable.all(axis=0), "all": usable.any(axis=0)}
        assert np.array_equal(valid, expected.get(nodata_if, np.ones((8, 9), bool)))
        assert np.array_equal(found[usable], values[usable])
        if nodata_if != "any":
            assert not found[~usable].any()

    def test_a_mask_of_all_bands_leaves_the_numbers(self):
        values = np.arange(300, 300 + 3 * 8 * 9).reshape(3, 8, 9)
        hole = np.zeros(values.shape, bool)
        hole[:, 5, 6] = True
        found, valid = read(np.ma.masked_array(values, hole))
        assert np.array_equal(found, values)
        assert np.array_equal(valid, ~hole[0])


@pytest.mark.parametrize("nodata", [-9999, 0.5, float("nan")])
def test_nodata_that_the_type_cannot_hold_is_refused(nodata):
    with (
        pytest.raises(SceneError, match=rf"`nodata` {nodata}: no pixel can have it, .* or none"),
        array_file(np.zeros((3, 8, 9), np.uint16), nodata=nodata),
    ):
        pass
