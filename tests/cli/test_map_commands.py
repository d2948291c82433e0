"""The commands on finished maps."""

import csv
import json

import numpy as np
import pyogrio
import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from tests.analysis.conftest import GRID, LEGEND
from tests.tiny_maps import write_class_map


@pytest.fixture
def class_map(tmp_path):
    labels = np.random.default_rng(3).choice(LEGEND.ids, (60, 80)).astype(np.uint8)
    return write_class_map(tmp_path / "map.tif", labels, grid=GRID, legend=LEGEND)


def run(*args):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_vectorize_areas_and_relabel_write_their_files(tmp_path, class_map):
    run("vectorize", class_map, "-o", tmp_path / "v.gpkg", "--min-area", "500")
    assert set(pyogrio.read_info(tmp_path / "v.gpkg", layer="v")["fields"]) >= {
        "class_name",
        "area_m2",
    }
    run("areas", class_map, "-o", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        assert [row["class_name"] for row in csv.DictReader(file)][:3] == list(LEGEND.names)
    run("relabel", class_map, "-o", tmp_path / "r.tif")
    assert (tmp_path / "r.tif").is_file()


def test_a_sample_is_interpreted_and_assessed(tmp_path, class_map):
    run("sample", class_map, "-n", "60", "--least", "10", "-o", tmp_path / "p.gpkg")
    meta, _, geometries, (point, reference) = pyogrio.raw.read(tmp_path / "p.gpkg")
    reference[:30] = "forest"
    pyogrio.raw.write(
        tmp_path / "seen.gpkg", geometries, [point, reference], ["point", "reference"],
        geometry_type="Point", crs=meta["crs"],
    )  # fmt: skip
    words = ("--reference", tmp_path / "seen.gpkg", "--class-column", "reference", "--json")
    found = json.loads(run("assess", class_map, *words))
    assert (found["unit"], found["compared"]) == ("points", 30)


def test_a_map_that_is_not_there_is_one_line(tmp_path):
    result = CliRunner().invoke(main, ["areas", str(tmp_path / "none.tif")])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "no such file" in result.stderr


@pytest.mark.parametrize("dates", [",", "2001-02-05,,2002-01-01", "spring,summer"])
def test_dates_that_are_none_are_a_usage_error(class_map, tmp_path, dates):
    words = ["change", str(class_map), str(class_map), "-o", str(tmp_path / "c.tif")]
    result = CliRunner().invoke(main, [*words, "--dates", dates])
    assert result.exit_code == 2
    assert "expected dates such as 2001-02-05" in result.stderr
