from pathlib import Path

import numpy as np
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.raster.maps.row_store import STRIPS, find_stores, open_row_store


def run(*words):
    return CliRunner().invoke(main, ["clean", *map(str, words)])


def leave(output: Path) -> None:
    with open_row_store(output, {"scene": "kafa.tif (0123)", STRIPS: "4"}) as store:
        store.append({"classes": np.zeros((1, 2, 3), np.uint8)})


def test_lists_what_stopped_runs_have_left(tmp_path):
    leave(tmp_path / "a.tif")
    result = run(tmp_path)
    assert result.exit_code == 0
    state, output, scene, progress, age, _ = result.stdout.split("\t")
    assert (state, output, scene) == ("stopped", str(tmp_path / "a.tif"), "kafa.tif")
    assert progress == "1 of 4 strips of windows (25%)"
    assert age.endswith(" s ago")
    assert len(find_stores(tmp_path)) == 1


def test_removes_it_unless_it_is_in_use(tmp_path):
    leave(tmp_path / "a.tif")
    with open_row_store(tmp_path / "b.tif", {"scene": "other.tif (4567)"}) as store:
        store.append({"classes": np.zeros((1, 2, 3), np.uint8)})
        result = run(tmp_path, "--remove")
        assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
            "removed",
            "running",
        ]
        assert find_stores(tmp_path) == [store.folder]


def test_a_folder_without_any_says_so(tmp_path):
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"no stopped run of predict in {tmp_path}\n"
    assert run(tmp_path / "none").exit_code == 2
