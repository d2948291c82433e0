"""Tests warnings about files of an earlier map with the same name."""

import warnings

import pytest

from geosrseg.analysis.relabel import relabel
from geosrseg.errors import SceneWarning
from geosrseg.mapping.predict import predict
from tests.mapping.test_predict import random_scene
from tests.mapping.test_predict import write_scene as write

FILES = ("map.confidence.qml", "map.confidence.tif", "map.csv", "map.html")


@pytest.fixture
def make(tmp_path, tiny_model):
    """Map scene number `number` as ``map.tif``; return the warnings."""
    model = tiny_model()

    def make(number: int, **options):
        scene = write(tmp_path / f"scene{number}.tif", random_scene(9 + number, 13))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SceneWarning)
            done = predict(scene, tmp_path / "map.tif", model=model, overwrite=True, **options)
        said = [str(item.message) for item in caught if item.category is SceneWarning]
        assert set(said) <= set(done.warnings)
        return " ".join(text for text in said if "older than" in text)

    return make


@pytest.fixture
def first(make, tmp_path):
    said = make(1, confidence=True, areas=tmp_path / "map.csv", report=tmp_path / "map.html")
    assert said == ""


@pytest.mark.usefixtures("first")
class TestOfAnEarlierMap:
    def test_they_are_named_and_stay(self, make, tmp_path):
        before = {name: (tmp_path / name).read_bytes() for name in FILES}
        said = make(2)
        assert all(name in said for name in FILES)
        assert "remove them, or make them again" in said
        assert {name: (tmp_path / name).read_bytes() for name in FILES} == before

    def test_those_that_are_made_again_are_not_named(self, make, tmp_path):
        said = make(2, areas=tmp_path / "map.csv", confidence=True)
        assert said.startswith("map.html is older than the map.tif that was just made")

    def test_the_same_map_keeps_them(self, make):
        assert make(1) == ""

    def test_files_of_other_names_are_not_ours_to_name(self, make, tmp_path):
        for name in FILES:
            (tmp_path / name).unlink()
        for name in ("map.notes.txt", "map2.csv", "map.2.tif", "other.html"):
            (tmp_path / name).write_text("mine")
        assert make(2) == ""


def test_what_relabel_replaces_is_named_too(make, tmp_path):
    make(1, areas=tmp_path / "map.csv")
    legend = tmp_path / "legend.toml"
    legend.write_text('[[classes]]\nid = 7\nname = "all"\ncolour = "#aabbcc"\nfrom = [1, 2, 3]\n')
    with pytest.warns(SceneWarning, match="map.csv is older than the map.tif"):
        relabel(tmp_path / "map.tif", tmp_path / "map.tif", legend=legend, overwrite=True)
    relabel(tmp_path / "map.tif", tmp_path / "other.tif", overwrite=True)


def test_beside_a_map_that_replaces_none_nothing_is_named(make, tmp_path):
    (tmp_path / "map.csv").write_text("mine")
    assert make(1) == ""
