import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA, Legend, LegendClass
from geosrseg.products.areas import AreaCounter
from geosrseg.products.pixel_areas import PixelAreas

LEGEND = Legend((LegendClass(1, "crop", "#000000"), LegendClass(5, "forest", "#ffffff")))


def count(labels, pixel_areas, *, step=1, **options):
    counter = AreaCounter(LEGEND, pixel_areas)
    for row in range(0, len(labels), step):
        counter.add(labels[row : row + step], row)
    return counter.areas(**options)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_every_class_has_the_sum_of_its_pixels(seed, height, width, step):
    rng = np.random.default_rng(seed)
    labels = rng.choice(np.array([1, 5, NODATA], np.uint8), (height, width))
    nodes = rng.uniform(1, 2, (2, 2))
    field = PixelAreas(np.array([0.0, 8.0]), np.array([0.0, 8.0]), nodes, width)
    areas = count(labels, field, step=step)
    weights = np.stack([field.row(row) for row in range(height)])
    for item in areas.classes:
        assert item.pixels == (labels == item.id).sum()
        assert item.square_metres == pytest.approx(weights[labels == item.id].sum())
    valid = labels != NODATA
    assert areas.pixels == valid.sum()
    assert areas.nodata_pixels == (~valid).sum()
    assert areas.square_metres == pytest.approx(weights[valid].sum())
    assert sum(item.percent for item in areas.classes) == pytest.approx(100 * valid.any())


def test_pixels_and_hectares():
    labels = np.array([[1, 5, 5, 255]], np.uint8)
    crop, forest = count(labels, PixelAreas.uniform(900.0, width=4)).classes
    assert (crop.pixels, crop.hectares, crop.percent) == (1, 0.09, pytest.approx(100 / 3))
    assert (forest.pixels, forest.hectares) == (2, 0.18)
    assert forest.estimate is None


def test_a_map_without_a_place_on_the_earth_has_pixels_only():
    areas = count(np.array([[1, 5, 5, 5]], np.uint8), None)
    assert [item.hectares for item in areas.classes] == [None, None]
    assert [item.percent for item in areas.classes] == [25, 75]
    assert areas.square_metres is None


def test_what_the_model_confuses_adjusts_the_areas():
    labels = np.array([[1, 1, 5, 5]], np.uint8)
    confusion = ConfusionMatrix(np.array([[8, 0], [2, 10]]))  # 2 of 10 crop are forest
    areas = count(labels, PixelAreas.uniform(1e4, width=4), confusion=confusion)
    crop = areas.classes[0].to_json()
    assert crop["hectares"] == 2
    assert crop["adjusted_hectares"] == pytest.approx(1.6)
    assert crop["adjusted_margin_hectares"] > 0
