"""The tool for QGIS's toolbox, as QGIS loads and runs it, offscreen (Debian: python3-qgis)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.raster.maps.test_qgis import PYTHON, has_qgis
from tests.site.troubles import write_scene, write_zones
from tests.tiny_models import make_onnx, make_spec

HERE = Path(__file__).parent
TOOL = HERE.parent / "docs" / "qgis" / "geosrseg_predict.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_qgis(), reason=f"{PYTHON} has no QGIS"),
]


@pytest.fixture
def run_tool(tmp_path, monkeypatch):
    """What the tool says of a run; scene and model lie in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_scene(bands=3, names=("band 1", "band 2", "band 3"))
    (tmp_path / "tiny.onnx").write_bytes(make_onnx(make_spec()).SerializeToString())
    command = tmp_path / "geosrseg"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH={HERE.parent} exec {sys.executable} -m geosrseg "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o755)

    def run(**parameters):
        given = {
            "SCENE": str(tmp_path / "scene.tif"),
            "OPTIONS": f"--model '{tmp_path / 'tiny.onnx'}'",
            "COMMAND": str(command),
            "OUTPUT": str(tmp_path / "map.tif"),
            **parameters,
        }
        environment = {**os.environ, "PYTHONPATH": "", "XDG_RUNTIME_DIR": str(tmp_path)}
        words = [PYTHON, str(HERE / "qgis_tool.py"), str(TOOL), json.dumps(given)]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_the_tool_makes_the_map_and_qgis_shows_its_classes(run_tool):
    said = run_tool()
    assert said["title"] == "Class map (geosrseg)"
    assert said["done"], said
    assert said["classes"] == [[1, "class 1"], [2, "class 2"], [3, "class 3"]]
    assert said["size"] == [200, 160]
    assert "mapped 100" in said["log"]


def test_an_area_of_interest_is_a_layer(run_tool, tmp_path):
    zones = write_zones(left=-3.0)
    assert run_tool(AREA=str(tmp_path / zones))["done"]
    with rasterio.open("map.tif") as dataset:
        labels = dataset.read(1)
    assert np.count_nonzero(labels == 255) or labels.shape != (160, 200)
    assert np.count_nonzero(labels != 255)


def test_a_failure_is_the_commands_own_line(run_tool):
    said = run_tool(MASK="cloud")
    assert said["error"].startswith("error: ")
    assert "--mask cloud needs a product's flags" in said["error"]


def test_scene_or_product_has_to_be_given(run_tool):
    assert "one of the two" in run_tool(SCENE=None)["error"]


def test_a_command_that_is_not_there_is_said(run_tool):
    assert "cannot be started" in run_tool(COMMAND="/nowhere/geosrseg")["error"]
