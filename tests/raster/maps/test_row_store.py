import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from geosrseg.errors import OutputError
from geosrseg.raster.maps.row_store import find_stores, open_row_store, store_folder, was_publishing

MANIFEST = {"model": "a", "scene": "b"}


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
    """What a process does that is stopped after some bands."""
    with open_row_store(output, MANIFEST) as store:
        for row in rows:
            store.append(row)


def test_a_store_gives_back_what_it_was_given(output):
    expected = bands(3)
    keep(output, expected[:1])
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1
        for rows in expected[1:]:
            store.append(rows)
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
        pytest.raises(OutputError, match=r"scene b and not c.*`overwrite=True`"),
        open_row_store(output, {"model": "a", "scene": "c"}),
    ):
        pass
    with open_row_store(output, {"model": "a", "scene": "c"}, overwrite=True) as store:
        assert len(store) == 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_band_and_those_behind_it_do_not_count(output, damage):
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
        assert len(store) == 2


def test_an_unreadable_manifest_begins_anew(output):
    keep(output, bands(2))
    (store_folder(output) / "manifest.json").write_text('{"model"')
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 0


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
        from geosrseg.raster.maps.row_store import open_row_store
        with open_row_store(Path({str(output)!r}), {MANIFEST!r}) as store:
            store.append({{"classes": np.zeros((1, 2, 3), np.uint8)}})
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
            store.append(bands(2)[1])
        monkeypatch.undo()
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1


def test_publishing_is_noted(output):
    with open_row_store(output, MANIFEST) as store:
        store.append(bands(1)[0])
        assert not was_publishing(output)
        store.start_publishing()
    assert was_publishing(output)


@pytest.mark.skipif(os.name != "posix", reason="other systems have other names")
@pytest.mark.parametrize(
    "name", [b"\xff\xfe.tif", b"x" * 251 + b".tif", "ü".encode() * 120 + b".tif"]
)
def test_any_name_of_an_output_has_a_store(tmp_path, name):
    output = tmp_path / os.fsdecode(name)
    keep(output, bands(1))
    with open_row_store(output, MANIFEST) as store:
        assert len(store) == 1
