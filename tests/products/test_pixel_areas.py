import numpy as np
import pytest

from geosrseg.products.pixel_areas import PixelAreas


def test_nodes_keep_their_values_and_the_rest_lies_between():
    nodes = np.array([[1.0, 3.0], [5.0, 9.0]])
    areas = PixelAreas(np.array([0.0, 4.0]), np.array([0.0, 2.0]), nodes, 3)
    assert areas.row(0).tolist() == [1, 2, 3]
    assert areas.row(4).tolist() == [5, 7, 9]
    assert areas.row(1).tolist() == [2, 3.25, 4.5]


def test_a_grid_of_one_area():
    assert PixelAreas.uniform(56.25, width=3).row(7).tolist() == [56.25] * 3


@pytest.mark.parametrize("area", [0.0, -1.0, np.nan, np.inf])
def test_an_area_is_a_positive_number(area):
    with pytest.raises(ValueError, match="positive"):
        PixelAreas.uniform(area, width=1)


def test_there_is_an_area_for_every_node():
    with pytest.raises(ValueError, match="2 x 1 nodes"):
        PixelAreas(np.arange(2.0), np.zeros(1), np.ones((1, 2)), 1)
