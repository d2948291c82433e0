import json

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from geosrseg.cli.main import main
from tests.tiny_datasets import write_raster

NAMES = ("band 1", "band 2", "band 3")


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.tif"
    values = np.random.default_rng(0).integers(500, 9000, (3, 20, 30)).astype(np.int16)
    write_raster(path, values, names=NAMES)
    return path


def run(*words):
    return CliRunner().invoke(main, ["predict", *map(str, words)])


def test_the_map_is_written_and_its_name_printed(scene, tmp_path, tiny_model):
    out = tmp_path / "out.tif"
    result = run(scene, "-o", out, "-m", tiny_model())
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    with rasterio.open(out) as file:
        assert file.shape == (80, 120)


def test_json_is_one_object_on_stdout(scene, tmp_path, tiny_model):
    result = run(scene, "-o", tmp_path / "out.tif", "-m", tiny_model(), "--json")
    assert json.loads(result.stdout)["windows"] == 1


@pytest.mark.filterwarnings("default::geosrseg.SceneWarning")
def test_what_was_taken_for_granted_is_said_on_stderr(tmp_path, tiny_model):
    path = tmp_path / "scene.tif"
    write_raster(path, np.full((3, 9, 9), 0.2, np.float32))
    result = run(path, "-o", tmp_path / "out.tif", "-m", tiny_model())
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "warning" not in result.stdout


def test_a_failure_is_one_line_and_exit_code_1(scene, tmp_path, tiny_model):
    (tmp_path / "out.tif").write_bytes(b"II something of the user's")
    result = run(scene, "-o", tmp_path / "out.tif", "-m", tiny_model())
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert (tmp_path / "out.tif").read_bytes() == b"II something of the user's"


def test_wrong_usage_is_exit_code_2(scene):
    assert run(scene).exit_code == 2
    assert run(scene, "-o", "out.tif", "--seams", "sharp").exit_code == 2
