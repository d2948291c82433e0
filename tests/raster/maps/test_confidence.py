import numpy as np
import pytest

from geosrseg.errors import OutputError
from geosrseg.raster.maps.confidence import as_confidence


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
        (pixels([1], [2], [3]), "has 3 bands of uint8"),
        (np.full((1, 2, 2), 0.5, np.float32), "has 1 bands of float32"),
    ],
)
def test_what_is_none_is_refused(values, words):
    with pytest.raises(OutputError, match=words):
        as_confidence(values, name="c.tif")
