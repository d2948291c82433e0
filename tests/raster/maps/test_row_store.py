import os
import subprocess
import sys
import textwrap
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from geosrseg.errors import OutputError
from geosrseg.raster.maps.row_layout import LayerLayout, RowLayout
from geosrseg.raster.maps.row_store import (
    join_row_store,
    names_in_store,
    open_row_store,
    store_folder,
)
from geosrseg.raster.maps.stopped_runs import find_stopped_runs, find_stores

MANIFEST = {"model": "a", "scene": "b"}

LAYOUT = RowLayout(
    layers={
        "classes": LayerLayout(1, 40, "uint8", 1, allowed=np.arange(256) < 9),
        "sr": LayerLayout(2, 40, "float32", 1),
    },
    heights=(3, 4, 5, 6),
)
open_row_store = partial(open_row_store, layout=LAYOUT)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "map.tif"


def bands(count: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [
        {
            "classes": rng.integers(0, 9, (1, 3 + k, 40)).astype(np.uint8),
            "sr": rng.random((2, 3 + k, 40), np.float32),
        }
        for k in range(count)
    ]


def keep(output: Path, rows: list[dict[str, np.ndarray]]) -> None:
    """Act like a process that is stopped after some bands."""
    with open_row_store(output, MANIFEST) as store:
        for index, row in enumerate(rows):
            store.keep(index, row)


def test_a_store_gives_back_what_it_was_given(output):
    expected = bands(3)
    keep(output, expected[:1])
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1
        for index in (2, 1):
            store.keep(index, expected[index])
        for layer in ("classes", "sr"):
            for found, rows in zip(store.rows(layer), expected, strict=True):
                np.testing.assert_array_equal(found, rows[layer])
        assert find_stores(output.parent) == [store_folder(output)]
        store.remove()
    assert list(output.parent.iterdir()) == []


def test_a_store_without_rows_goes(output):
    with open_row_store(output, MANIFEST):
        pass
    assert list(output.parent.iterdir()) == []


def test_another_manifest_is_refused_by_what_differs(output):
    keep(output, bands(1))
    with (
        pytest.raises(OutputError, match=r"scene b instead of c.*`overwrite=True`"),
        open_row_store(output, {"model": "a", "scene": "c"}),
    ):
        pass
    with open_row_store(output, {"model": "a", "scene": "c"}, overwrite=True) as store:
        assert len(store) == 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_strip_does_not_count(output, damage):
    keep(output, bands(4))
    path = store_folder(output) / "000002.npz"
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[:-30])
    elif damage == "flipped":
        content[len(content) // 3] ^= 255
        path.write_bytes(content)
    else:
        path.unlink()
    with open_row_store(output, MANIFEST) as store:
        assert store.missing == [range(2, 3)]


def test_blocks_that_a_strip_was_made_without_are_known_until_it_is_made_again(output):
    first, second, third = bands(3)
    with open_row_store(output, MANIFEST) as store:
        store.keep(0, first)
        store.keep(1, second, bad_blocks=["block 1"])
        store.keep(2, third, bad_blocks=["block 1", "block 2"])
    with open_row_store(output, MANIFEST) as store:
        assert store.bad_blocks == ["block 1", "block 2"]
        store.forget()
        assert (store.bad_blocks, store.missing) == ([], [range(4)])
        store.keep(0, first)
    with open_row_store(output, MANIFEST) as store:
        assert (store.bad_blocks, len(store)) == ([], 1)


@pytest.mark.parametrize("text", ["{", '"all"', "[" * 10**5])
def test_a_strip_whose_list_of_blocks_is_damaged_does_not_count(output, text):
    keep(output, bands(2))
    with zipfile.ZipFile(store_folder(output) / "000001.npz", "a") as archive:
        archive.writestr("bad_blocks.json", text)
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1


def test_an_unreadable_manifest_begins_anew(output):
    keep(output, bands(2))
    (store_folder(output) / "manifest.json").write_text('{"model"')
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 0


def test_a_manifest_without_a_strip_holds_nobody_back(output):
    store_folder(output).mkdir()
    (store_folder(output) / "manifest.json").write_text('{"window size": "\u00b2"}')
    keep(output, bands(1))
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1


def test_only_one_process_is_at_work_on_an_output(output):
    with (
        open_row_store(output, MANIFEST),
        pytest.raises(OutputError, match="another process"),
        open_row_store(output, MANIFEST),
    ):
        pass


def test_the_lock_of_a_killed_process_is_taken_over(output):
    code = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        import numpy as np
        from tests.raster.maps.test_row_store import MANIFEST, bands, open_row_store
        with open_row_store(Path({str(output)!r}), MANIFEST) as store:
            store.keep(0, bands(1)[0])
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1


def test_a_full_disk_keeps_what_is_there(output, monkeypatch):
    keep(output, bands(1))
    with open_row_store(output, MANIFEST) as store:

        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("zipfile.ZipFile.open", full)
        with pytest.raises(OutputError, match="No space left on device"):
            store.keep(1, bands(2)[1])
        monkeypatch.undo()
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1


def test_publishing_is_noted_by_name(output):
    with open_row_store(output, MANIFEST) as store:
        store.keep(0, bands(1)[0])
        assert not store.noted
        store.start_publishing([output])
        assert store.noted == names_in_store(output) == {output}
    with open_row_store(output, MANIFEST) as store:
        store.start_publishing([output.with_suffix(".csv")])  # the first may be there already
        assert store.noted == {output, output.with_suffix(".csv")}


def test_what_another_run_noted_does_not_count(output):
    with open_row_store(output, MANIFEST) as store:
        store.keep(0, bands(1)[0])
        store.start_publishing([output])
    with open_row_store(output, {"model": "c"}, overwrite=True) as store:
        assert not store.noted


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[" * 200_000, '{"a": 1}', "\xff"])
@pytest.mark.parametrize("name", ["publishing", "manifest.json"])
def test_what_says_nothing_usable_is_not_there(output, name, text):
    store_folder(output).mkdir()
    (store_folder(output) / name).write_bytes(text.encode("latin-1"))
    assert not names_in_store(output)
    assert [stopped.scene for stopped in find_stopped_runs(output.parent)] in ([], ["unknown"])
    with open_row_store(output, MANIFEST, overwrite=True) as store:
        assert not store.noted


# Things that are not a store, at the path of one.


@pytest.fixture
def victim(tmp_path):
    """A user's folder, whose files must stay as they are."""
    folder = tmp_path / "victim"
    folder.mkdir()
    for name in ("thesis.doc", "map.tif", "manifest.json", "000000.npz"):
        (folder / name).write_text("mine")
    yield folder
    assert {path.name for path in folder.iterdir()} == {
        "thesis.doc",
        "map.tif",
        "manifest.json",
        "000000.npz",
    }
    assert all(path.read_text() == "mine" for path in folder.iterdir())


def refused(output: Path) -> str:
    with (
        pytest.raises(OutputError) as caught,
        open_row_store(output, MANIFEST, overwrite=True) as store,
    ):
        store.keep(0, bands(1)[0])
    return str(caught.value)


def test_a_link_is_no_store(output, victim):
    store_folder(output).symlink_to(victim)
    assert "is a link or not a folder" in refused(output)
    assert find_stores(output.parent) == []


def test_a_link_to_nothing_is_no_store(output, tmp_path):
    store_folder(output).symlink_to(tmp_path / "none")
    assert "is a link or not a folder" in refused(output)
    assert not (tmp_path / "none").exists()


def test_a_file_is_no_store(output):
    store_folder(output).write_text("mine")
    assert "is a link or not a folder" in refused(output)
    assert store_folder(output).read_text() == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "lock",
        "manifest.json",
        "publishing",
        "000000.npz",
        "000000.partial",
        "000000.0123456789abcdef.partial",
        "map.tif",
        "map.tif.draft",
    ],
)
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_of_no_store(output, victim, name, kind):
    folder = store_folder(output)
    folder.mkdir()
    if kind == "link":
        (folder / name).symlink_to(victim / "thesis.doc")
    elif kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).mkdir()
    assert f"holds {name}, which no stopped run made" in refused(output)
    assert os.path.lexists(folder / name)
    find_stopped_runs(output.parent)  # says what there is, and does not wait


@pytest.mark.parametrize("name", ["thesis.doc", "000000.npz.bak", "1.npz", "mapping.py"])
def test_what_no_store_holds_is_not_removed(output, name):
    keep(output, bands(1))
    (store_folder(output) / name).write_text("mine")
    assert f"holds {name}" in refused(output)
    with pytest.raises(OutputError, match="which no stopped run made"):
        find_stopped_runs(output.parent)[0].remove()
    assert (store_folder(output) / name).read_text() == "mine"
    assert (store_folder(output) / "000000.npz").is_file()


def test_looking_at_a_store_changes_nothing(output):
    keep(output, bands(1))
    (store_folder(output) / "lock").unlink()
    before = sorted(store_folder(output).iterdir())
    find_stopped_runs(output.parent)
    assert sorted(store_folder(output).iterdir()) == before


def test_a_draft_is_never_written_through_a_link(output, victim):
    with open_row_store(output, MANIFEST) as store:
        (store.folder / "000000.partial").symlink_to(victim / "thesis.doc")
        (store.folder / "publishing.partial").symlink_to(victim / "map.tif")
        store.keep(0, bands(1)[0])
        store.start_publishing([output])
        assert len(store) == 1


def rewritten(output: Path, **arrays: np.ndarray) -> None:
    path = store_folder(output) / "000001.npz"
    np.savez(path, **arrays)
    say_made_for(path)


def say_made_for(path: Path) -> None:
    """Copy into a file of rows the manifest's hash from the file beside it."""
    with zipfile.ZipFile(path.with_name("000000.npz")) as other, zipfile.ZipFile(path, "a") as own:
        own.comment = other.comment


def flags(path: Path, offsets: tuple[int, int], value: int) -> None:
    """Set a byte of the first member's header, and of the directory's entry."""
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\3\4") + offsets[0]] = value
    content[content.find(b"PK\1\2") + offsets[1]] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        "encrypted",
        "method",
        "object",
        "layer",
        "shape",
        "type",
        "label",
        "declared",
        "text",
        "pipe",
    ],
)
def test_rows_that_are_not_those_of_the_map_do_not_count(output, damage):
    keep(output, bands(3))
    path = store_folder(output) / "000001.npz"
    rows = bands(3)[1]
    if damage == "encrypted":
        flags(path, (6, 8), 1)
    elif damage == "method":
        flags(path, (8, 10), 99)
    elif damage == "object":
        rewritten(output, classes=np.array([{}], object), sr=rows["sr"])
    elif damage == "layer":
        rewritten(output, classes=rows["classes"])
    elif damage == "shape":
        rewritten(output, classes=rows["classes"][:, :3], sr=rows["sr"])
    elif damage == "type":
        rewritten(output, classes=rows["classes"].astype(np.int8), sr=rows["sr"])
    elif damage == "label":
        rewritten(output, classes=np.full((1, 4, 40), 77, np.uint8), sr=rows["sr"])
    elif damage == "declared":  # a header of more than any machine has
        header = {"descr": "|u1", "fortran_order": False, "shape": (1, 2**40, 2**20)}
        with zipfile.ZipFile(path, "w") as archive, archive.open("classes.npy", "w") as member:
            np.lib.format.write_array_header_1_0(member, header)
        say_made_for(path)
    elif damage == "text":
        path.write_bytes(b"no archive at all")
    else:
        path.unlink()
        os.mkfifo(path)
        assert not LAYOUT.is_whole(path, 1)
        path.unlink()
    with open_row_store(output, MANIFEST) as store:
        assert store.missing == [range(1, 2), range(3, 4)]


def test_rows_that_say_they_are_of_the_map_count(output):
    keep(output, bands(3))
    rewritten(output, **bands(3)[1])
    with open_row_store(output, MANIFEST) as store:
        assert store.missing == [range(3, 4)]


def test_rows_of_another_manifest_do_not_count(output, tmp_path):
    keep(output, bands(3))
    other = tmp_path / "other.tif"
    with open_row_store(other, {"model": "a", "scene": "c"}) as store:
        store.keep(1, bands(2)[1])
    late = store_folder(other) / "000001.npz"
    late.replace(store_folder(output) / late.name)  # as a worker of an older plan does
    with open_row_store(output, MANIFEST) as store:
        assert store.missing == [range(1, 2), range(3, 4)]


def test_several_fill_a_store_together(output):
    upper, lower = (
        join_row_store(output, MANIFEST, strips, layout=LAYOUT)
        for strips in (range(2), range(1, 4))
    )
    rows = bands(4)
    for index in (3, 1, 2):
        lower.keep(index, rows[index])
    assert (upper.absent(), lower.missing) == ([0], [])
    upper.keep(1, rows[1])  # two processes may finish the same strip
    upper.keep(0, rows[0])
    assert lower.absent() == []
    with open_row_store(output, MANIFEST) as store:
        for found, expected in zip(store.rows("sr"), rows, strict=True):
            np.testing.assert_array_equal(found, expected["sr"])
        store.remove()
        with pytest.raises(OutputError, match="its rows cannot be kept"):
            lower.keep(2, rows[2])  # a late process finds no store, and leaves nothing
    assert list(output.parent.iterdir()) == []


def test_who_joins_waits_for_who_begins(output):
    with open_row_store(output, {"model": "a", "scene": "c"}) as first:
        first.keep(0, bands(1)[0])
        ended = []

        def pause(_):
            ended.append(True)
            first.remove()
            store_folder(output).mkdir()
            (store_folder(output) / "manifest.json").write_text('{"model": "a", "scene": "b"}')

        store = join_row_store(output, MANIFEST, range(2), layout=LAYOUT, pause=pause)
        assert (len(ended), store.missing) == (1, [range(2)])


def test_rows_beyond_the_map_do_not_count(output):
    keep(output, bands(4))
    source = store_folder(output) / "000003.npz"
    (store_folder(output) / "000004.npz").write_bytes(source.read_bytes())
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 4


@pytest.mark.skipif(os.name != "posix", reason="other systems have other names")
@pytest.mark.parametrize(
    "name", [b"\xff\xfe.tif", b"x" * 251 + b".tif", "ü".encode() * 120 + b".tif"]
)
def test_any_name_of_an_output_has_a_store(tmp_path, name):
    output = tmp_path / os.fsdecode(name)
    keep(output, bands(1))
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1
