import pickle

import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS

from geosrseg.raster.files.grid import Grid

numbers = st.floats(-1e7, 1e7)
steps = st.floats(1e-5, 1e3) | st.floats(-1e3, -1e-5)


@st.composite
def transforms(draw: st.DrawFn) -> Affine:
    """North-up, south-up, mirrored and rotated transforms."""
    turn = draw(st.sampled_from([0, 0, 30, -135]))
    return Affine(draw(steps), 0, draw(numbers), 0, draw(steps), draw(numbers)) @ Affine.rotation(
        turn
    )


@settings(max_examples=50)
@given(transforms(), st.integers(1, 9), st.integers(1, 500), st.integers(1, 500))
def test_a_refined_grid_has_the_same_corners(transform, factor, height, width):
    grid = Grid(None, transform, height, width)
    fine = grid.refined(factor)

    assert (fine.height, fine.width) == (height * factor, width * factor)
    assert fine.transform @ (0, 0) == grid.transform @ (0, 0)
    for row, col in ((0, width), (height, 0), (height, width)):
        assert fine.transform @ (col * factor, row * factor) == pytest.approx(
            grid.transform @ (col, row), rel=1e-12, abs=1e-6
        )


def test_powers_of_two_refine_exactly():
    grid = Grid(CRS.from_epsg(32636), Affine(30, 0, 808_755, 0, -30, 852_945), 1177, 1548)
    assert grid.refined(4).transform == Affine(7.5, 0, 808_755, 0, -7.5, 852_945)
    assert grid.refined(4).bounds == grid.bounds == (808_755, 817_635, 855_195, 852_945)


def test_a_grid_travels_between_processes():
    grid = Grid(CRS.from_epsg(4326), Affine(0.1, 0, 35, 0, -0.1, 7), 3, 4)
    assert pickle.loads(pickle.dumps(grid)) == grid


@pytest.mark.parametrize("values", [(Affine.identity(), 0, 3), (Affine.scale(0), 3, 3)])
def test_impossible_grids_are_refused(values):
    with pytest.raises(ValueError, match="a grid"):
        Grid(None, *values)


def test_only_finer_grids():
    with pytest.raises(ValueError, match="1 or more"):
        Grid(None, Affine.identity(), 3, 3).refined(0)
