"""Polygons whose sides run through the centres of pixels, where a rule decides who has them."""

from itertools import product

import numpy as np
import pytest
import shapely
from affine import Affine

from geosrseg.core.tiling.windows import Window
from geosrseg.raster.files.burning import burn, inside
from geosrseg.raster.files.grid import Grid

GRIDS = {
    "north up": Affine(10, 0, 493_485, 0, -10, 5_928_315),
    "south up": Affine(10, 0, 800_000.1, 0, 10, 850_000.7),
    "rotated": Affine(10, 0, 800_000, 0, -10, 850_000) @ Affine.rotation(33.3),
    "degrees": Affine(0.00025 / 4, 0, 12.3, 0, -0.00025 / 4, 45.7),
}
SIDES = (3.5, 12.5, 17.5, 36.5)
"""In pixels, along both axes."""


@pytest.fixture(params=GRIDS)
def grid(request):
    return Grid(None, GRIDS[request.param], 40, 40)


def squares(grid):
    """The polygons between neighbouring `SIDES`, with their height and width in pixels."""
    for top, left in product(range(3), range(3)):
        (y, bottom), (x, right) = SIDES[top : top + 2], SIDES[left : left + 2]
        corners = [(x, y), (right, y), (right, bottom), (x, bottom)]
        polygon = shapely.Polygon([grid.transform @ corner for corner in corners])
        yield polygon, (int(bottom - y), int(right - x))


def test_neighbours_share_no_pixel_and_leave_none_out(grid):
    owners = np.zeros((40, 40), int)
    for polygon, (height, width) in squares(grid):
        found = inside(polygon, grid)
        assert found.sum() == height * width
        owners += found
    rows, cols = np.nonzero(owners)
    assert owners.max() == 1
    assert owners[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1].all()


def test_a_centre_on_a_side_is_of_the_next_row_and_column(grid):
    polygon, (height, width) = next(squares(grid))
    rows, cols = np.nonzero(inside(polygon, grid))
    assert (rows.min(), cols.min()) == (3, 3)
    assert (rows.max(), cols.max()) == (2 + height, 2 + width)


def test_values_are_burnt_by_the_same_rule(grid):
    shapes = [(polygon, value) for value, (polygon, _) in enumerate(squares(grid), start=1)]
    expected = sum(inside(polygon, grid) * value for polygon, value in shapes)
    assert np.array_equal(burn(shapes, grid, fill=0, dtype=np.uint8), expected)
    assert np.array_equal(burn(shapes[::-1], grid, fill=0, dtype=np.uint8), expected)


@pytest.mark.parametrize("size", [1, 7, 16])
def test_a_part_of_the_grid_gets_what_the_whole_gets(grid, size):
    for polygon, _ in squares(grid):
        whole = inside(polygon, grid)
        for row, col in product(range(0, 40, size), range(0, 40, size)):
            part = Window(row, col, size, size).clipped(40, 40)
            assert np.array_equal(inside(polygon, grid.part(part)), whole[part.rows, part.cols])
