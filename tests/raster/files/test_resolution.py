import math

import pytest
from affine import Affine
from rasterio.crs import CRS

from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.resolution import ground_resolution, pixel_size


def grid(crs, transform):
    return Grid(None if crs is None else CRS.from_string(crs), transform, 100, 100)


@pytest.mark.parametrize(
    ("crs", "transform", "expected"),
    [
        ("EPSG:32636", Affine(30, 0, 500_000, 0, -30, 830_000), (30, 30)),
        ("EPSG:32636", Affine(0, 30, 500_000, 30, 0, 830_000), (30, 30)),  # turned by 90 degrees
        ("EPSG:4326", Affine(0.00027, 0, 36, 0, -0.00027, 60), (15.1, 30.1)),
        ("EPSG:4326", Affine(0.00027, 0, 179.99, 0, -0.00027, 0), (30.1, 29.9)),
        ("EPSG:3857", Affine(60, 0, 0, 0, -60, 8_399_737), (30, 30)),  # 60 degrees north
        ("EPSG:2263", Affine(100, 0, 985_000, 0, -100, 210_000), (30.5, 30.5)),  # feet
        ("EPSG:3031", Affine(30, 0, 0, 0, -30, 0), (30.8, 30.8)),  # near the South Pole
        ("EPSG:3031", Affine(30, 0, -1500, 0, -30, 1500), (30.8, 30.8)),  # in it
    ],
)
def test_metres_whatever_the_crs(crs, transform, expected):
    found = pixel_size(grid(crs, transform))
    assert found == pytest.approx(expected, rel=0.03)
    assert ground_resolution(grid(crs, transform)) == pytest.approx(math.prod(found) ** 0.5)


def test_no_crs_no_metres():
    assert ground_resolution(grid(None, Affine(30, 0, 0, 0, -30, 0))) is None


def test_a_local_crs_has_metres_of_its_own():
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    assert ground_resolution(grid(local, Affine(30, 0, 0, 0, -30, 0))) == pytest.approx(30)
