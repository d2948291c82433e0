import errno
import os
from pathlib import Path

import pytest

from geosrseg.errors import OutputError
from geosrseg.raster.storage.publication import check_output, open_drafts, publish, publish_text


def test_drafts_lie_hidden_beside_the_output_and_go(tmp_path):
    with open_drafts(tmp_path / "map.tif") as folder:
        (folder / "by-product").write_text("left")
        assert folder.parent == tmp_path
        assert folder.name.startswith(".map.tif.")
    assert list(tmp_path.iterdir()) == []


def test_drafts_go_after_an_error_too(tmp_path):
    def fail():
        with open_drafts(tmp_path / "map.tif"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_has_drafts(tmp_path):
    with open_drafts(tmp_path / ("x" * 250 + ".tif")) as folder:
        assert folder.is_dir()


def test_text_is_whole_or_not_there(tmp_path, monkeypatch):
    publish_text(tmp_path / "a.txt", "Kāfa\n")
    assert (tmp_path / "a.txt").read_bytes() == "Kāfa\n".encode()

    def full(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text.encode()[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written \(No space left"):
        publish_text(tmp_path / "a.txt", "other\n")
    assert (tmp_path / "a.txt").read_bytes() == "Kāfa\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX syncs folders")
def test_all_is_on_the_disk_before_anything_is_moved(tmp_path, monkeypatch):
    events = []
    move = Path.replace
    monkeypatch.setattr("os.fsync", lambda handle: events.append("sync"))
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (events.append(to.name), move(self, to))[1]
    )
    with open_drafts(tmp_path / "map.tif") as folder:
        drafts = [folder / "map.tif", folder / "map.tif.aux.xml"]
        for draft in drafts:
            draft.write_text(draft.name)
        publish(drafts, tmp_path / "map.tif")
    assert events == ["sync", "sync", "map.tif", "map.tif.aux.xml", "sync"]
    assert (tmp_path / "map.tif.aux.xml").read_text() == "map.tif.aux.xml"


def test_a_draft_that_is_missing_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        publish([tmp_path / "none"], tmp_path / "map.tif")


def test_pipes_and_devices_are_no_outputs():
    with pytest.raises(OutputError, match="not a regular file"):
        check_output(Path(os.devnull), suffixes=("",), overwrite=True)


def test_a_link_that_leads_nowhere_is_no_output(tmp_path):
    (tmp_path / "map.tif").symlink_to(tmp_path / "none")
    with pytest.raises(OutputError, match="not a regular file"):
        check_output(tmp_path / "map.tif", suffixes=(".tif",), overwrite=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/vsis3/bucket/map.tif", "outputs are local files"),
        ("file:///data/map.tif", "give /data/map.tif"),
        ("here.tif/map.tif", "here.tif is not a folder"),
        ("nowhere/map.tif", "there is no folder nowhere: make it first"),
    ],
)
def test_names_that_no_output_has_say_why(tmp_path, monkeypatch, name, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.tif").touch()
    with pytest.raises(OutputError, match=why):
        check_output(Path(name), suffixes=[".tif"], overwrite=False)
