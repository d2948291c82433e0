import numpy as np
import pytest

from geosrseg.core.legend import NODATA, Legend, LegendClass

FOREST = LegendClass(1, "forest", "#1B7837")
COFFEE = LegendClass(4, "coffee", "#a6611a")


@pytest.fixture
def legend():
    return Legend((FOREST, COFFEE))


def test_a_class_has_its_colour_as_numbers():
    assert FOREST.rgb == (0x1B, 0x78, 0x37)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-1, "a", "#000000"), "class id is 0 to 254, got -1"),
        ((NODATA, "a", "#000000"), "class id is 0 to 254, got 255"),
        ((0, " ", "#000000"), "class 0 has no name"),
        ((0, "a", "red"), "colour is #rrggbb, got 'red' for 'a'"),
        ((0, "a", "#00000"), "colour is #rrggbb"),
        ((0, "a", "#000000\n"), "colour is #rrggbb"),
    ],
)
def test_a_class_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        LegendClass(*values)


@pytest.mark.parametrize(
    ("classes", "message"),
    [((), "at least one"), ((COFFEE, FOREST), "rise"), ((FOREST, FOREST), "rise")],
)
def test_ids_rise(classes, message):
    with pytest.raises(ValueError, match=message):
        Legend(classes)


def test_ids_and_names_in_the_order_of_the_outputs(legend):
    assert (len(legend), legend.ids, legend.names) == (2, (1, 4), ("forest", "coffee"))


def test_palette_has_the_colours_at_the_ids(legend):
    palette = legend.palette()
    assert palette.shape == (256, 3)
    assert palette.dtype == np.uint8
    assert tuple(palette[4]) == COFFEE.rgb
    assert not np.delete(palette, [1, 4], axis=0).any()


def test_tables_are_each_others_inverse(legend):
    ids, indices = legend.id_table(), legend.index_table()
    np.testing.assert_array_equal(ids[:2], [1, 4])
    np.testing.assert_array_equal(indices[ids[:2]], [0, 1])
    assert (ids[2:] == NODATA).all()
    assert (np.delete(indices, [1, 4]) == NODATA).all()
    assert ids[NODATA] == indices[NODATA] == NODATA


def test_a_full_legend_has_255_classes():
    legend = Legend(tuple(LegendClass(k, str(k), "#000000") for k in range(NODATA)))
    np.testing.assert_array_equal(legend.id_table(), np.arange(256))
    np.testing.assert_array_equal(legend.index_table(), np.arange(256))


def test_json_round_trip(legend):
    assert Legend.from_json(legend.to_json()) == legend


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": True}, "id is an integer, got True"),
        ({"id": 1.5}, "id is an integer, got 1.5"),
        ({"name": None}, "name is text, got None"),
        ({"colour": 255}, "colour is text, got 255"),
    ],
)
def test_json_of_another_type_is_refused(legend, change, message):
    items = legend.to_json()
    with pytest.raises(ValueError, match=message):
        Legend.from_json([items[0] | change, items[1]])


@pytest.mark.parametrize("name", ["water", "Open water", "deep sea", "Lakes", "river/canal"])
def test_open_water_is_told_by_its_name(name):
    legend = Legend((LegendClass(1, name, "#0000ff"), LegendClass(2, "trees", "#00ff00")))
    assert np.flatnonzero(legend.is_land()).tolist() == [2]


@pytest.mark.parametrize("name", ["wetland", "watershed", "seagrass", "riverine forest"])
def test_what_only_sounds_like_water_is_land(name):
    assert Legend((LegendClass(3, name, "#0000ff"),)).is_land()[3]
