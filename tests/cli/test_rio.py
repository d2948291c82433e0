"""``rio geosrseg``, loaded from its entry point in pyproject.toml."""

import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from rasterio.rio.main import main_group

from tests.tiny_datasets import write_raster


@pytest.fixture
def rio(monkeypatch):
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    points = tomllib.loads(text)["project"]["entry-points"]["rasterio.rio_plugins"]
    module, name = points["geosrseg"].split(":")
    monkeypatch.setattr(main_group, "commands", {**main_group.commands})
    main_group.add_command(getattr(import_module(module), name))

    def run(*words):
        return CliRunner().invoke(main_group, ["geosrseg", *map(str, words)])

    return run


def test_it_makes_a_map(rio, tmp_path, tiny_model):
    scene, out = tmp_path / "scene.tif", tmp_path / "out.tif"
    names = ("band 1", "band 2", "band 3")
    write_raster(scene, np.arange(297, dtype=np.int16).reshape(3, 9, 11) + 3000, names=names)
    result = rio(scene, "-o", out, "-m", tiny_model())
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    with rasterio.open(out) as file:
        assert file.shape == (36, 44)


def test_its_help_is_that_of_predict(rio):
    result = rio("--help")
    assert result.exit_code == 0
    assert "--vector FILE" in result.stdout


def test_a_failure_is_one_line(rio, tmp_path):
    result = rio(tmp_path / "none.tif", "-o", tmp_path / "out.tif")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
