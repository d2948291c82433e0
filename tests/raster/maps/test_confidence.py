import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.confidence import as_confidence, check_confidence
from tests.raster.conftest import NORTH_UP, UTM
from tests.raster.maps.test_class_map import write_raster


def pixels(*bands):
    return np.array(bands, np.uint8)[:, None]


def test_two_bands_are_percent():
    both = pixels([0, 80, 100, 255], [0, 100, 3, 255])
    np.testing.assert_array_equal(as_confidence(both, name="c.tif"), both)


def test_one_band_of_older_versions_has_128_where_something_unknown_is_near():
    found = as_confidence(pixels([0, 100, 128, 208, 228, 255]), name="c.tif")
    np.testing.assert_array_equal(
        found[:, 0], [[0, 100, 0, 80, 100, 255], [0, 0, 100, 100, 100, 255]]
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pixels([50, 101]), r"c\.tif: holds 101, expected a confidence layer"),
        (pixels([50, 230]), "holds 230"),
        (pixels([50, 130], [0, 0]), "holds 130"),
        (pixels([50, 20], [0, 120]), "holds 120"),
    ],
)
def test_values_that_are_no_percent_are_refused(values, words):
    with pytest.raises(OutputError, match=words):
        as_confidence(values, name="c.tif")


@pytest.mark.parametrize(
    ("values", "transform", "words"),
    [
        (np.ones((3, 5, 7), np.uint8), NORTH_UP, "has 3 bands of uint8"),
        (np.full((5, 7), 0.5, np.float32), NORTH_UP, "has 1 band of float32"),
        (np.ones((2, 5, 8), np.uint8), NORTH_UP, "not on the grid of the class map, 7 x 5 pixels"),
        (np.ones((2, 5, 7), np.uint8), NORTH_UP @ Affine.translation(1, 0), "not on the grid"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, values, transform, words):
    path = write_raster(tmp_path / "c.tif", values, transform=transform)
    with (
        rasterio.open(path) as dataset,
        pytest.raises(OutputError, match=rf"c\.tif: .*{words}"),
    ):
        check_confidence(dataset, path, Grid(UTM, NORTH_UP, 5, 7))
