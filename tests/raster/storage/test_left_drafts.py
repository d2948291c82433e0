"""Drafts of killed processes are found and removed, and nothing else."""

import os
import signal

import pytest

from geosrseg.cli.main import main
from geosrseg.errors import OutputError
from geosrseg.raster.storage.left_drafts import find_left_drafts
from geosrseg.raster.storage.publication import LOCK, open_drafts
from tests.forked import run_forked


def die(output):
    """Kill this process while it writes an output."""
    with open_drafts(output) as folder:
        (folder / output.name).write_bytes(bytes(1000))
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def left(tmp_path):
    """The folder that a killed process left."""
    run_forked(lambda: die(tmp_path / "map.csv"))
    (folder,) = tmp_path.glob(".*.partial")
    return folder


def test_they_are_found_and_removed(left, tmp_path):
    (found,) = find_left_drafts(tmp_path)
    assert (found.output, found.size, found.running) == (tmp_path / "map.csv", 1000, False)
    found.remove()
    assert not left.exists()


def test_what_is_being_made_stays(tmp_path):
    with open_drafts(tmp_path / "map.csv") as folder:
        (found,) = find_left_drafts(tmp_path)
        assert found.running
        with pytest.raises(OutputError, match="cannot be removed"):
            found.remove()
        assert folder.exists()


def spoil(left, kind):
    if kind == "foreign":
        (left / "thesis.doc").write_text("mine")
    elif kind == "link":
        (left / "map.png").symlink_to("/etc/passwd")
    elif kind == "no lock":
        (left / LOCK).unlink()
    elif kind == "pipe":
        os.mkfifo(left / "map.x")
    elif kind == "name":
        left.rename(left.with_name(".thesis.partial"))
    else:
        target = left.rename(left.with_name("elsewhere"))
        left.symlink_to(target)


@pytest.mark.parametrize("kind", ["foreign", "link", "no lock", "pipe", "name", "is a link"])
def test_what_is_not_ours_is_not_touched(left, tmp_path, kind):
    spoil(left, kind)
    before = sorted(map(str, tmp_path.rglob("*")))
    assert find_left_drafts(tmp_path) == []
    assert sorted(map(str, tmp_path.rglob("*"))) == before


def test_the_command_removes_them(left, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["clean", str(tmp_path), "--remove"])
    assert end.value.code == 0
    state, output, *_ = capsys.readouterr().out.split("\t")
    assert (state, output) == ("removed", str(tmp_path / "map.csv"))
    assert not left.exists()
