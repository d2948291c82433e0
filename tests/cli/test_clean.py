from pathlib import Path

import numpy as np
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.raster.maps.row_store import find_stores, open_row_store


def run(*words):
    return CliRunner().invoke(main, ["clean", *map(str, words)])


def leave(output: Path) -> None:
    with open_row_store(output, {"scene": "kafa.tif (0123)"}) as store:
        store.append({"classes": np.zeros((1, 2, 3), np.uint8)})


def test_lists_what_stopped_runs_have_left(tmp_path):
    leave(tmp_path / "a.tif")
    result = run(tmp_path)
    assert result.exit_code == 0
    assert result.stdout.split("\t")[0] == "stopped"
    assert "kafa.tif\t1 bands" in result.stdout
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


def test_an_empty_folder_has_nothing_to_say(tmp_path):
    assert run(tmp_path).output == ""
    assert run(tmp_path / "none").exit_code == 2
