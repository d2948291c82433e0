"""Tests every output of maps whose legend differs from the model's."""

import json

import numpy as np
import pytest
import rasterio

import geosrseg
from geosrseg.errors import OutputError
from geosrseg.mapping.map_legend import map_legend
from geosrseg.raster.maps.class_map import CERTAINTY, open_class_map
from tests.mapping.test_predict import expected_map, random_scene, read_map, write_scene
from tests.tiny_models import make_spec

MERGED = """
[[classes]]
id = 9
name = "land"
colour = "#aabbcc"
from = [1, 3]

[[classes]]
id = 2
name = "other"
colour = "#112233"
"""
IGNORED = MERGED.replace("from = [1, 3]", "from = [3]").replace("\n[[", "ignored = [1]\n\n[[", 1)


@pytest.fixture
def legend(tmp_path):
    def write(text):
        (tmp_path / "legend.toml").write_text(text)
        return tmp_path / "legend.toml"

    return write


@pytest.fixture
def scene(tmp_path):
    return write_scene(tmp_path / "scene.tif", random_scene(20, 30))


def test_every_output_has_the_merged_classes(tmp_path, scene, tiny_model, legend):
    model, files = tiny_model(), {"stac": tmp_path / "m.json", "areas": tmp_path / "m.csv"}
    plain, out = tmp_path / "plain.tif", tmp_path / "out.tif"
    geosrseg.predict(scene, plain, model=model, confidence=True, fractions=True)
    done = geosrseg.predict(
        scene, out, model=model, confidence=True, fractions=True, legend=legend(MERGED), **files
    )
    expected = expected_map(random_scene(20, 30))
    assert np.array_equal(read_map(out), np.where(expected == 2, 2, 9))
    found = open_class_map(out).legend
    assert [(c.id, c.name, c.colour) for c in found.classes] == [
        (2, "other", "#112233"),
        (9, "land", "#aabbcc"),
    ]
    assert set(done.summary.classes) == {"other", "land"}
    assert "land" in (tmp_path / "m.csv").read_text()
    item = json.dumps(json.loads((tmp_path / "m.json").read_text()))
    assert '"land"' in item
    assert "land" in (tmp_path / "out.qml").read_text()
    of_plain, of_merged = (read_map(p.with_suffix(".confidence.tif")) for p in (plain, out))
    assert np.array_equal(of_plain, of_merged)
    with (
        rasterio.open(tmp_path / "plain.fractions.tif") as before,
        rasterio.open(tmp_path / "out.fractions.tif") as after,
    ):
        assert after.descriptions == ("other", "land")
        first, second, third = before.read()
        assert np.allclose(after.read(), [second, first + third], atol=1e-6)


def test_probabilities_are_the_model_s_and_of_merged_classes_their_sums(
    tmp_path, tiny_model, legend, monkeypatch
):
    monkeypatch.setattr("tests.tiny_models.SHARPNESS", 6.0)  # a model with doubts
    values = random_scene(20, 30)
    values[:, :4] = np.nan
    scene, model = write_scene(tmp_path / "scene.tif", values), tiny_model()
    one, merged = tmp_path / "one.tif", tmp_path / "merged.tif"
    geosrseg.predict(scene, one, model=model, probabilities=True)
    geosrseg.predict(scene, merged, model=model, probabilities=True, legend=legend(MERGED))
    centres = np.array([1, 3, 5])[:, None, None] / 6
    logits = np.exp(6 * (2 * centres * values[:1] - centres**2))
    expected = (logits / logits.sum(axis=0)).repeat(4, axis=1).repeat(4, axis=2)
    known = read_map(one) != 255
    assert (known == np.isfinite(expected[0])).all()

    def shares(path):
        with rasterio.open(path.with_suffix(".probabilities.tif")) as file:
            assert file.descriptions == open_class_map(path).legend.names
            assert (file.nodata, set(file.scales)) == (255, {1 / CERTAINTY})
            found = file.read()
        assert ((found == 255) == ~known).all()
        return found[:, known] / CERTAINTY

    step = 0.5 / CERTAINTY + 1e-5
    first, second, third = expected[:, known]
    assert np.abs(shares(one) - [first, second, third]).max() <= step
    assert first.std() + third.std() > 0.2  # there is something to see
    assert np.abs(shares(merged) - [second, first + third]).max() <= step


def test_an_ignored_class_becomes_nodata(tmp_path, scene, tiny_model, legend):
    out = tmp_path / "o.tif"
    geosrseg.predict(scene, out, model=tiny_model(), legend=legend(IGNORED), confidence=True)
    expected = expected_map(random_scene(20, 30))
    found = read_map(out)
    assert np.array_equal(found, np.array([0, 255, 2, 9], np.uint8)[expected])
    with rasterio.open(tmp_path / "o.confidence.tif") as file:
        assert ((file.read() == 255) == (found == 255)).all()


def test_what_is_ignored_is_not_called_nodata(tmp_path, tiny_model, legend):
    values = random_scene(20, 30)
    values[:, :5] = np.nan
    scene, model = write_scene(tmp_path / "scene.tif", values), tiny_model()
    done = geosrseg.predict(scene, tmp_path / "o.tif", model=model, legend=legend(IGNORED))
    first = float((expected_map(values[:, 5:]) == 1).mean()) * 0.75
    assert done.summary.ignored == pytest.approx(first)
    assert done.summary.empty == pytest.approx(0.25)
    assert done.summary.mapped == pytest.approx(0.75 - first)

    nothing = 'ignored = [1, 2, 3]\n[[classes]]\nid = 7\nname = "none"\ncolour = "#112233"\n'
    with pytest.warns(geosrseg.SceneWarning, match="25% of the scene is nodata .* ignores 75%"):
        geosrseg.predict(scene, tmp_path / "n.tif", model=model, legend=legend(nothing))


def test_classes_of_one_name_are_one_in_the_summary(tmp_path, scene, tiny_model, legend):
    text = MERGED.replace("from = [1, 3]", "from = [1]") + (
        '[[classes]]\nid = 3\nname = "land"\ncolour = "#445566"\n'
    )
    done = geosrseg.predict(scene, tmp_path / "o.tif", model=tiny_model(), legend=legend(text))
    other = float((expected_map(random_scene(20, 30)) == 2).mean())
    assert done.summary.mapped == 1
    assert done.summary.classes == pytest.approx({"land": 1 - other, "other": other})


def test_a_map_in_memory_has_them_too(tiny_model, legend):
    with geosrseg.open_model(tiny_model()) as model:
        found = model.map_array(random_scene(9, 13), legend=legend(MERGED))
    assert found.legend.names == ("other", "land")
    assert set(np.unique(found.layers["classes"])) == {2, 9}


def test_a_legend_that_leaves_a_class_out_is_refused(tmp_path, scene, tiny_model, legend):
    text = MERGED.replace("[1, 3]", "[1]")
    with pytest.raises(OutputError, match="the legend does not mention 3 "):
        geosrseg.predict(scene, tmp_path / "o.tif", model=tiny_model(), legend=legend(text))
    assert not (tmp_path / "o.tif").exists()


def test_errors_of_the_model_are_merged_as_its_classes_are(legend):
    spec = make_spec(confusion=((10, 1, 2), (3, 20, 4), (5, 6, 30)))
    merged = map_legend(spec, legend(MERGED))
    assert merged.spec.confusion == ((20, 3 + 4), (1 + 6, 10 + 2 + 5 + 30))
    assert merged.merge[:4].tolist() == [1, 0, 1, 255]
    assert map_legend(spec, legend(IGNORED)).spec.confusion == ()
    assert map_legend(spec, None).spec is spec
