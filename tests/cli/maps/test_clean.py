from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.raster.maps.manifest import STRIPS
from geosrseg.raster.maps.row_layout import LayerLayout, RowLayout
from geosrseg.raster.maps.row_store import open_row_store
from geosrseg.raster.maps.stopped_runs import find_stores

LAYOUT = RowLayout({"classes": LayerLayout(1, 3, "uint8", 1)}, (2,))


def run(*words):
    return CliRunner().invoke(main, ["clean", *map(str, words)])


def leave(output: Path) -> None:
    manifest = {"scene": "kafa.tif (0123)", STRIPS: "4"}
    with open_row_store(output, manifest, layout=LAYOUT) as store:
        store.keep(0, {"classes": np.zeros((1, 2, 3), np.uint8)})


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
    with open_row_store(tmp_path / "b.tif", {"scene": "other.tif (4567)"}, layout=LAYOUT) as store:
        store.keep(0, {"classes": np.zeros((1, 2, 3), np.uint8)})
        result = run(tmp_path, "--remove")
        assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
            "removed",
            "running",
        ]
        assert find_stores(tmp_path) == [store.folder]


@pytest.mark.parametrize("gone", ["", "manifest.json", "lock", "000000.npz"])
def test_removes_what_a_killed_process_was_removing(tmp_path, monkeypatch, gone):
    with monkeypatch.context() as patch:
        patch.setattr("geosrseg.raster.maps.row_store.shutil.rmtree", lambda *_, **__: None)
        with open_row_store(tmp_path / "a.tif", {"scene": "kafa.tif (1)"}, layout=LAYOUT) as store:
            store.keep(0, {"classes": np.zeros((1, 2, 3), np.uint8)})
            store.remove()
    (aside,) = tmp_path.iterdir()
    if gone:
        (aside / gone).unlink()
    state, output, *_ = run(tmp_path, "--remove").stdout.split("\t")
    assert (state, output) == ("removed", str(tmp_path / "a.tif"))
    assert not list(tmp_path.iterdir())


def test_a_folder_without_any_says_so(tmp_path):
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"no stopped run of predict in {tmp_path}\n"
    assert run(tmp_path / "none").exit_code == 2


def test_a_manifest_cannot_write_to_the_terminal(tmp_path):
    store = tmp_path / ".y.tif.geosrseg"
    store.mkdir()
    (store / "manifest.json").write_text(r'{"scene": "\u001b]0;pwn\u0007x\nremoved\t/other\u202e"}')
    lines = run(tmp_path).stdout.split("\n")
    assert lines[0].split("\t")[3] == "0 strips of windows"
    assert len(lines) == 2
    assert lines[0].replace("\t", "").isprintable()
    assert len(lines[0].split("\t")) == 6


def test_says_removed_only_of_what_is(tmp_path):
    leave(tmp_path / "a.tif")
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "manifest.json").write_text("{}")
    (tmp_path / ".b.tif.geosrseg").symlink_to(tmp_path / "victim")
    leave(tmp_path / "c.tif")
    (tmp_path / ".c.tif.geosrseg" / "thesis.doc").write_text("mine")
    result = run(tmp_path, "--remove")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["removed", "stopped"]
    assert result.exit_code == 1
    assert "thesis.doc, which no stopped run made" in result.stderr
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["manifest.json"]
    assert len(list((tmp_path / ".c.tif.geosrseg").iterdir())) == 4
