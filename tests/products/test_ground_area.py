"""Against pyproj's geodesic areas (Karney 2013)."""

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod, Transformer
from rasterio.crs import CRS

from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.files.grid import Grid

SIDES = 20  # pieces of a pixel's side: it is a straight line in the grid's CRS
NORTH_UP = Affine(30, 0, 0, 0, -30, 0)


def geodesic_area(grid, row, col):
    steps = np.arange(SIDES) / SIDES
    cols = col + np.concatenate([steps, np.ones(SIDES), 1 - steps, np.zeros(SIDES)])
    rows = row + np.concatenate([np.zeros(SIDES), steps, np.ones(SIDES), 1 - steps])
    transformer = Transformer.from_crs(grid.crs.to_wkt(), 4326, always_xy=True)
    degrees = transformer.transform(*(grid.transform @ (cols, rows)))
    return abs(Geod(ellps="WGS84").polygon_area_perimeter(*degrees)[0])


@pytest.mark.parametrize(
    ("crs", "transform", "height", "width"),
    [
        (32636, Affine(7.5, 0, 200_000, 0, -7.5, 850_000), 20_000, 30_000),
        (32636, Affine.translation(5e5, 4e6) @ Affine.rotation(20) @ Affine.scale(30), 900, 700),
        (4326, Affine(0.00025, 0, 35, 0, -0.00025, 60), 4000, 5000),
        (4326, Affine(0.01, 0, 178, 0, -0.01, 80), 600, 400),
        (3857, Affine(30, 0, 1e6, 0, -30, 6e6), 4000, 5000),
        (3031, Affine(500, 0, -25_000, 0, -500, 25_000), 101, 99),  # the South Pole
        (32701, Affine(30, 0, -20_000, 0, -30, 8e6), 500, 7000),  # the antimeridian
        (2263, Affine(30, 0, 9e5, 0, -30, 2e5), 300, 300),  # US survey feet
    ],
)
def test_a_pixels_area_is_its_geodesic_area_to_two_parts_in_a_million(
    crs, transform, height, width
):
    grid = Grid(CRS.from_epsg(crs), transform, height, width)
    areas = pixel_areas(grid)
    rng = np.random.default_rng(0)
    for row, col in zip(rng.integers(height, size=6), rng.integers(width, size=6), strict=True):
        assert areas.row(row)[col] == pytest.approx(geodesic_area(grid, row, col), rel=2e-6)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5000), (5000, 1)])
def test_any_shape(height, width):
    grid = Grid(CRS.from_epsg(32636), Affine(30, 0, 5e5, 0, -30, 8e5), height, width)
    last = pixel_areas(grid).row(height - 1)
    assert last.shape == (width,)
    assert last[-1] == pytest.approx(geodesic_area(grid, height - 1, width - 1), rel=2e-6)


def test_an_equal_area_crs_has_equal_areas():
    areas = pixel_areas(Grid(CRS.from_epsg(6933), NORTH_UP, 3000, 3000))
    assert areas.row(1234) == pytest.approx(900, rel=1e-8)


def test_without_a_place_on_the_earth_there_is_no_area():
    assert pixel_areas(Grid(None, NORTH_UP, 5, 5)) is None
    local = CRS.from_wkt('LOCAL_CS["site",UNIT["metre",1]]')
    assert pixel_areas(Grid(local, NORTH_UP, 5, 5)) is None
    moon = CRS.from_wkt(
        'GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",1737400,0]],'
        'PRIMEM["0",0],UNIT["degree",0.0174532925199433]]'
    )
    assert pixel_areas(Grid(moon, Affine(0.1, 0, 0, 0, -0.1, 0), 5, 5)) is None
    beyond = Affine(1e6, 0, 1e8, 0, -1e6, 1e8)
    assert pixel_areas(Grid(CRS.from_epsg(32636), beyond, 5, 5)) is None
