import json

import numpy as np
import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from tests.tiny_datasets import write_raster

NAMES = ("band 1", "band 2", "band 3")


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.tif"
    write_raster(path, np.full((3, 20, 30), 3000, np.int16), names=NAMES)
    return path


def run(*words):
    return CliRunner().invoke(main, [*map(str, words)])


def lines_of(result):
    assert result.exit_code == 0
    pairs = (line.split("  ", 1) for line in result.stdout.splitlines())
    return {key: value.strip() for key, value in pairs}


def test_a_scene_in_lines(scene, tiny_model):
    lines = lines_of(run("info", scene, "-m", tiny_model()))
    assert lines["size"] == "30 x 20 pixels"
    assert lines["crs"] == "EPSG:32636"
    assert lines["pixel"].startswith("30 x 30 ")
    assert lines["bands"] == "1 band 1, 2 band 2, 3 band 3"
    assert lines["reflectance"] == "0.0001 * DN + 0"
    assert lines["tiny 1 can map it"] == "yes, 4x finer"


def test_a_scene_as_json(scene, tiny_model):
    found = json.loads(run("info", scene, "-m", tiny_model(bands=2), "--json").stdout)
    assert (found["width"], found["height"], found["dtype"]) == (30, 20, "int16")
    assert found["bands"][1] == {"number": 2, "name": "band 2"}
    assert (found["can_run"], found["obstacle"], found["valid_share"]) == (True, "", 1.0)


def test_one_that_does_not_fit_is_no_failure(scene, tiny_model):
    result = run("info", scene, "-m", tiny_model(bands=4))
    assert result.exit_code == 0
    assert "no: the scene has 3 bands" in result.stdout


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_model_is_shown_as_models_does(tiny_model, option):
    model = tiny_model()
    assert run("info", model, *option).stdout == run("models", "show", model, *option).stdout


def test_a_missing_scene_is(tmp_path, tiny_model):
    result = run("info", tmp_path / "none.tif", "-m", tiny_model())
    assert result.exit_code == 1
    assert "no such file" in result.stderr
