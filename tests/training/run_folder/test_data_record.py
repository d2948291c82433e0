"""A run is resumed on the data that it was started on, wherever that lies now."""

import os
import shutil

import pytest

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError
from geosrseg.training.run_folder import data_record
from geosrseg.training.run_folder.data_record import DataRecord
from geosrseg.training.run_folder.run import Run
from tests.tiny_datasets import write_dataset


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_dataset(folder)
    return folder


@pytest.fixture
def run(data, tmp_path):
    run = Run(tmp_path / "run")
    run.path.mkdir()
    record(data).write(run)
    return run


def record(folder):
    return DataRecord.of(read_card(folder / "squares.toml", data=folder))


def flip(path, place):
    """Another byte, in a file of the same size and time."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def rewrite(folder, old, new):
    path = folder / "squares.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_same_data_elsewhere_is_the_same(data, run, tmp_path):
    """Copied, with times of its own."""
    shutil.copytree(data, tmp_path / "moved", copy_function=shutil.copyfile)
    record(tmp_path / "moved").check(run)


@pytest.mark.parametrize("place", [0, 30_000, -1])
def test_another_byte_is_another_file(data, run, place):
    flip(data / "image.tif", place)
    with pytest.raises(RunError, match=r"image.tif changed since it was started; .* --overwrite"):
        record(data).check(run)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "bright"', 'reference = 7\nname = "bright"', "the values of its classes changed"),
        ("ignored = [7]", "ignored = [7, 9]", "the values of its classes changed"),
        ("guard = 8", "guard = 16", "its guard changed"),
        ("[bands]", "[image]\nscale = 0.001\n[bands]", "how its images store reflectance changed"),
        ('split = "split.tif"', 'split = "train"', "started with split.tif, which the dataset no"),
    ],
)
def test_another_meaning_is_another_dataset(data, run, old, new, message):
    if "reference = 7" in new:
        rewrite(data, "ignored = [7]", "ignored = []")
    rewrite(data, old, new)
    with pytest.raises(RunError, match=message):
        record(data).check(run)


def test_words_of_a_card_may_change(data, run):
    rewrite(data, 'name = "squares"', 'name = "other"')
    rewrite(data, '"#eeeeee"', '"#ffffff"')
    record(data).check(run)


def test_of_a_large_file_beginning_and_end_are_hashed_and_blocks_between(data, run, monkeypatch):
    monkeypatch.setattr(data_record, "BLOCK", 100)
    monkeypatch.setattr(data_record, "HASHED", 3 * 1000)  # three files
    size = (data / "image.tif").stat().st_size
    record(data).write(run)
    for place in (0, (size - 100) // 9 + 50, size - 1):  # of ten blocks
        flip(data / "image.tif", place)
        with pytest.raises(RunError, match=r"image.tif changed"):
            record(data).check(run)
        flip(data / "image.tif", place)
    flip(data / "image.tif", 150)  # between two blocks
    record(data).check(run)


def test_a_run_without_a_record_is_not_refused(data, run):
    run.data_file.unlink()
    record(data).check(run)


def test_a_damaged_record_is_one_line(data, run):
    run.data_file.write_text("{")
    with pytest.raises(RunError, match=r"data.json is not a data record"):
        record(data).check(run)
