"""Polygons as references, rasterized on the image's grid."""

import json

import numpy as np
import pytest

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.errors import DatasetError, DatasetWarning
from tests.tiny_datasets import TRANSFORM, write_raster

pytest.importorskip("pyogrio")

CARD = """
name = "fields"
ignored = ["road"]
[polygons]
column = "landuse"
{elsewhere}
[bands]
red = [0.0, 0.5]
nir = [0.0, 0.5]
[[classes]]
id = 3
name = "forest"
reference = ["wood", 7]
[[classes]]
id = 5
name = "other"
[[scenes]]
image = "image_*.tif"
reference = "fields.geojson"
split = "train"
"""


def square(row, col, side, value):
    """A square feature of `side` pixels, with its upper left corner at a pixel."""
    corners = [(0, 0), (side, 0), (side, side), (0, side), (0, 0)]
    ring = [TRANSFORM @ (col + right, row + down) for right, down in corners]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "geometry": geometry, "properties": {"landuse": value}}


def write(folder, features, *, elsewhere=""):
    crs = {"type": "name", "properties": {"name": "EPSG:32636"}}
    collection = {"type": "FeatureCollection", "crs": crs, "features": features}
    (folder / "fields.geojson").write_text(json.dumps(collection), encoding="utf-8")
    for name in "ab":
        values = np.full((2, 40, 50), 1000, np.int16)
        write_raster(folder / f"image_{name}.tif", values, names=("red", "nir"))
    path = folder / "card.toml"
    path.write_text(CARD.format(elsewhere=elsewhere), encoding="utf-8")
    return read_card(path, data=folder)


def read(card, window=None):
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        assert len(scenes) == 2  # one polygon file serves both
        return scenes[0].read_target(window or Window(0, 0, 40, 50), "train")


FEATURES = [
    square(2, 3, 10, "wood"),
    square(20, 20, 8, "other"),
    square(22, 22, 2, "7"),  # over the previous one
    square(30, 0, 5, "road"),
]


def test_polygons_are_burned_in(tmp_path):
    target = read(write(tmp_path, FEATURES))
    expected = np.full((40, 50), NODATA, np.uint8)
    expected[2:12, 3:13], expected[20:28, 20:28], expected[22:24, 22:24] = 0, 1, 0
    assert np.array_equal(target, expected)


def test_a_window_is_a_part_of_the_whole(tmp_path):
    card = write(tmp_path, FEATURES)
    assert np.array_equal(read(card, Window(5, 4, 20, 30)), read(card)[5:25, 4:34])


def test_the_ground_between_them_may_be_a_class(tmp_path):
    target = read(write(tmp_path, FEATURES, elsewhere='elsewhere = "other"'))
    assert target[0, 0] == 1
    assert target[5, 5] == 0
    assert target[32, 2] == NODATA  # a road, which is ignored


def test_values_of_no_class_are_named(tmp_path):
    card = write(tmp_path, [*FEATURES, square(0, 40, 4, "lake")])
    with pytest.warns(DatasetWarning, match=r"1 polygons have a value of landuse .*'lake' \(1\)"):
        read(card)


def test_polygons_without_a_column_are_refused(tmp_path):
    write(tmp_path, FEATURES)
    path = tmp_path / "card.toml"
    text = path.read_text().replace('[polygons]\ncolumn = "landuse"', "")
    text = text.replace('ignored = ["road"]', "").replace('reference = ["wood", 7]', "")
    path.write_text(text, encoding="utf-8")
    card = read_card(path, data=tmp_path)
    with pytest.raises(DatasetError, match=r"fields.geojson holds polygons: .* \[polygons\]"):
        read(card)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"landuse"', '"use"', "has no column 'use', only landuse"),
        ("[polygons]\ncolumn", "[polygons]\ncolum", "did you mean column"),
        ('["wood", 7]', '["road"]', "'road' has two classes"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, before, after, message):
    write(tmp_path, FEATURES)
    path = tmp_path / "card.toml"
    path.write_text(path.read_text().replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read(read_card(path, data=tmp_path))
