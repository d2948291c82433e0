"""Tests what a DataArray says of itself, by the conventions of rioxarray."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.errors import SceneError
from geosrseg.raster.xarrays import array_of, scale_attributes

rioxarray = pytest.importorskip("rioxarray")

TRANSFORM = Affine(30, 0, 500000, 0, -30, 4000000)
SCALES, OFFSETS = (1e-4, 2e-4, 3e-4), (-0.1, -0.1, -0.06)


@pytest.fixture
def array(tmp_path):
    profile = {"driver": "GTiff", "dtype": "int16", "count": 3, "height": 6, "width": 7}
    path = tmp_path / "scene.tif"
    with rasterio.open(path, "w", **profile, crs="EPSG:32633", transform=TRANSFORM) as file:
        file.write(np.arange(3 * 6 * 7, dtype=np.int16).reshape(3, 6, 7))
        file.descriptions = ("green", "red", "nir")
        file.scales, file.offsets = SCALES, OFFSETS
    with pytest.warns(UserWarning, match="differ across bands"):
        opened = rioxarray.open_rasterio(path)
    with opened as array:
        yield array


class TestScales:
    def test_bands_have_their_own(self, array):
        found = array_of(array)
        assert (found.scales, found.offsets) == (SCALES, OFFSETS)

    @pytest.mark.parametrize("chosen", [[2, 0], [1]])
    def test_a_selection_has_those_of_its_bands(self, array, chosen):
        found = array_of(array.isel(band=chosen))
        assert found.scales == tuple(SCALES[k] for k in chosen)
        assert found.offsets == tuple(OFFSETS[k] for k in chosen)
        assert found.band_names == tuple(("green", "red", "nir")[k] for k in chosen)

    def test_one_band_without_its_dimension(self, array):
        assert array_of(array.sel(band=3)).scales == SCALES[2:]

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ({}, (1.0,) * 3),
            ({"scale_factor": 1e-4}, (1e-4,) * 3),
            ({"scale_factor": np.array([1e-4])}, (1e-4,) * 3),
            ({"scale_factor": np.array(SCALES)}, SCALES),
            ({"scale_factor": 1.0, "scales": SCALES}, SCALES),
        ],
    )
    def test_each_way_to_say_it(self, array, said, expected):
        array.attrs = said
        assert array_of(array).scales == expected

    @pytest.mark.parametrize("said", [{"scales": (1e-4, 2e-4)}, {"scale_factor": "x"}])
    def test_what_is_no_number_for_each_band_is_refused(self, array, said):
        array.attrs = said
        (key,) = said
        with pytest.raises(SceneError, match=f"attribute {key} is .*, expected a number, or one"):
            array_of(array)

    @pytest.mark.parametrize(("scales", "offsets"), [(SCALES, OFFSETS), ((0.5,) * 3, (0.0,) * 3)])
    def test_what_is_written_is_read_back(self, array, scales, offsets):
        array.attrs = scale_attributes(scales, offsets)
        found = array_of(array)
        assert (found.scales, found.offsets) == (scales, offsets)


class TestPlace:
    @pytest.mark.parametrize("columns", [[0, 1, 2, 5], [0, 1, 3], [0, 1, 2, 3, 4, 6]])
    def test_columns_with_a_gap_are_refused(self, array, columns):
        with pytest.raises(SceneError, match=r"x has steps from 30 to .*, expected pixels of one"):
            array_of(array.isel(x=columns))

    def test_rounded_coordinates_are_even(self, array):
        x = np.float32(120 + 0.0003 * np.arange(7))
        assert array_of(array.assign_coords(x=x)).transform.a == pytest.approx(3e-4, rel=0.02)


@pytest.mark.parametrize("nodata", [-9999.0, float("nan")])
def test_nodata_that_the_type_cannot_hold_is_refused(array, nodata):
    array = array.astype(np.uint16).assign_attrs(_FillValue=nodata)
    with pytest.raises(SceneError, match=r"DataArray of uint16 .* nodata is unusable .* `rio\."):
        array_of(array)
