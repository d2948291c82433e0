"""What breaks a run from outside: whatever happens, a map under its name is whole and right.

The numbers of injected faults are small here; ``GEOSRSEG_FAULTS=200 pytest tests/test_faults.py``
injects as many as docs/reliability.md reports.
"""

import json
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from geosrseg.errors import DeviceError, GeosrsegError
from geosrseg.mapping.predict import predict
from geosrseg.raster.maps.row_store import store_folder
from geosrseg.raster.maps.stopped_runs import find_stores
from geosrseg.runtime.session import Session
from tests.forked import Ended, run_forked
from tests.tiny_datasets import write_raster

FAULTS = int(os.environ.get("GEOSRSEG_FAULTS", "12"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="faults are injected into forked processes"),
]

FORESEEN = {kind.__name__ for kind in (MemoryError, *GeosrsegError.__subclasses__())} | {
    "DeviceMemoryError"
}

OPTIONS = {"device": "cpu", "threads": 1, "window_size": 40, "overlap": 24, "confidence": True}


@pytest.fixture
def make_map(tmp_path: Path, tiny_model: Callable[..., Path]) -> Callable[[Path], Callable]:
    """A function that, given an output, gives what makes its map: 22 bands of 4 windows."""
    model = tiny_model(reach=5, halo=8, exact_halo=8)
    numbers = np.random.default_rng(0).integers(0, 10_000, (3, 365, 77)).astype(np.int16)
    scene = tmp_path / "scene.tif"
    write_raster(scene, numbers, names=("band 1", "band 2", "band 3"))

    def make(output: Path) -> Callable[[], list[Path]]:
        def run() -> list[Path]:
            done = predict(scene, output, model=model, **OPTIONS)
            return sorted(done.layers.values())

        return run

    return make


@pytest.fixture
def expected(tmp_path, make_map) -> dict[str, bytes]:
    """The files of an undisturbed run, by name without the stem."""
    output = tmp_path / "whole" / "map.tif"
    output.parent.mkdir()
    ended = run_forked(make_map(output))
    assert ended.error is None, ended.error
    return contents(output.parent)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def run_with_limit(kind: int, limit: int, run: Callable[[], object]) -> object:
    resource.setrlimit(kind, (limit, limit))
    return run()


def check_published(folder: Path, expected: dict[str, bytes]) -> None:
    """Whatever has its name is as it should be."""
    for name, content in contents(folder).items():
        assert content == expected[name], name


def finish(make: Callable, output: Path, expected: dict[str, bytes]) -> None:
    """Run it again with the same arguments: it ends with the undisturbed run's files."""
    ended: Ended = run_forked(make(output))
    assert ended.error is None, ended.error
    assert contents(output.parent) == expected
    assert not find_stores(output.parent)


def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(tmp_path, make_map, expected):
    rng = random.Random(0)
    output = tmp_path / "killed" / "map.tif"
    output.parent.mkdir()
    start = time.monotonic()
    run_forked(make_map(output))
    typical = time.monotonic() - start
    shutil.rmtree(output.parent)
    output.parent.mkdir()
    for kill in range(FAULTS):
        run_forked(make_map(output), kill_after=rng.uniform(0, typical))
        check_published(output.parent, expected)
        if kill % 4 == 3:  # after four in a row
            if contents(output.parent) != expected or find_stores(output.parent):
                finish(make_map, output, expected)
            shutil.rmtree(output.parent)  # with the folder of a store that was never begun
            output.parent.mkdir()


def test_out_of_space_it_says_so_and_goes_on_when_there_is_some(tmp_path, make_map, expected):
    rng = random.Random(1)
    largest = max(map(len, expected.values()))
    for fault in range(FAULTS):
        output = tmp_path / f"full {fault}" / "map.tif"
        output.parent.mkdir()
        limit = int(largest * 2 ** rng.uniform(-9, 0.5))
        ended = run_forked(partial(run_with_limit, resource.RLIMIT_FSIZE, limit, make_map(output)))
        if ended.error is not None:
            assert ended.error.startswith("OutputError: "), ended.error
            assert "\n" not in ended.error
        check_published(output.parent, expected)
        if contents(output.parent) != expected:
            finish(make_map, output, expected)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of a given size; only root may."""
    mounted = []

    def mount(size: int) -> Path:
        folder = tmp_path / f"disk {len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"no disk can be mounted: {error}")
        if done.returncode:
            pytest.skip(f"no disk can be mounted: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_no_different(small_disk, make_map, expected):
    whole = sum(map(len, expected.values()))
    rng = random.Random(2)
    for _ in range(max(FAULTS // 4, 3)):
        folder = small_disk(4096 * int(whole * rng.uniform(0.1, 3) / 4096 + 1))
        ended = run_forked(make_map(folder / "map.tif"))
        if ended.error is not None:
            assert ended.error.startswith("OutputError: "), ended.error
            said = ("No space left", "not what was written", "is the disk full?")
            assert any(text in ended.error for text in said), ended.error
        check_published(folder, expected)
        shutil.rmtree(store_folder(folder / "map.tif"), ignore_errors=True)


def test_with_little_memory_it_ends_well_or_in_one_line(tmp_path, make_map, expected):
    import_module("onnxruntime")  # the limit is for the work, not for loading libraries
    rng = random.Random(3)
    for fault in range(FAULTS):
        output = tmp_path / f"memory {fault}" / "map.tif"
        output.parent.mkdir()
        extra = int(2 ** rng.uniform(22, 29))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limited = partial(run_with_limit, resource.RLIMIT_AS, used + extra, make_map(output))
        ended = run_forked(limited)
        if ended.error is not None:
            assert ended.error.partition(":")[0] in FORESEEN, ended.error
        check_published(output.parent, expected)


@pytest.fixture
def long_command(tmp_path, tiny_model) -> list[str]:
    """A prediction of some hundred windows, as a user starts it."""
    numbers = np.random.default_rng(0).integers(0, 10_000, (3, 3000, 77)).astype(np.int16)
    write_raster(tmp_path / "scene.tif", numbers, names=("band 1", "band 2", "band 3"))
    words = ["predict", tmp_path / "scene.tif", "-o", tmp_path / "map.tif", "--device", "cpu"]
    words += ["-m", tiny_model(reach=5, halo=8, exact_halo=8), "--window", "40", "--threads", "1"]
    return [sys.executable, "-m", "geosrseg", *map(str, words)]


def wait_for_rows(output: Path) -> None:
    deadline = time.monotonic() + 120
    while not list(store_folder(output).glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_with_what_is_done_kept(tmp_path, long_command, number, code):
    process = subprocess.Popen(long_command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_rows(tmp_path / "map.tif")
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code
    assert b"Traceback" not in errors
    said = rb"%b: kept \d+ of \d+ strips of windows \(\d+%%\) of .*map.tif: run the command again"
    assert re.search(said % (b"interrupted" if number == signal.SIGINT else b"terminated"), errors)
    assert not (tmp_path / "map.tif").exists()
    assert find_stores(tmp_path)
    done = subprocess.run([*long_command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["resumed"] > 0


def test_a_second_run_of_the_same_output_stops_with_a_line(tmp_path, long_command):
    process = subprocess.Popen(long_command, stdout=subprocess.DEVNULL)
    wait_for_rows(tmp_path / "map.tif")
    process.send_signal(signal.SIGSTOP)  # it is at work, however long the second one takes
    second = subprocess.run(long_command, capture_output=True, text=True, check=False)
    process.kill()
    process.wait()
    assert second.returncode == 1
    assert "another process is making it" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_closed_standard_streams_do_not_matter(tmp_path, long_command):
    numbers = np.random.default_rng(0).integers(0, 10_000, (3, 30, 40)).astype(np.int16)
    write_raster(tmp_path / "scene.tif", numbers, names=("band 1", "band 2", "band 3"))
    line = shlex.join(long_command)
    done = subprocess.run(["sh", "-c", f"exec {line} <&- >&- 2>&-"], check=False)
    assert done.returncode == 0
    assert (tmp_path / "map.tif").is_file()
    assert not find_stores(tmp_path)


@pytest.mark.parametrize("name", ["n" * 230 + ".tif", "карта 地図.tif", "-o.tif"])
def test_any_file_name_does(tmp_path, make_map, expected, name):
    folder = tmp_path / "named"
    folder.mkdir()
    output = folder / name
    ended = run_forked(make_map(output))
    assert ended.error is None, ended.error
    assert output.read_bytes() == expected["map.tif"]


@pytest.mark.parametrize(
    "name", [b"\xff\xfe.tif", b"\xff\xfe/map.tif", b"n" * 300 + b".tif", b"n" * 249 + b".tif"]
)
def test_a_name_that_cannot_be_written_is_one_line(tmp_path, make_map, name):
    output = tmp_path / os.fsdecode(name)
    with suppress(OSError):
        output.parent.mkdir(exist_ok=True)
    ended = run_forked(make_map(output))
    assert ended.error is not None
    assert ended.error.startswith("OutputError: ")
    assert len(ended.error.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_an_error(small_disk, make_map):
    folder = small_disk(2**20)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    ended = run_forked(make_map(folder / "map.tif"))
    assert ended.error is not None
    assert "Read-only file system" in ended.error


def test_a_worker_that_fails_ends_the_run_with_its_error(tmp_path, make_map):
    output = tmp_path / "failed" / "map.tif"
    output.parent.mkdir()

    def fail_at_the_third_window():
        run, calls = Session.run, []

        def failing(self, lr):
            calls.append(lr)
            if len(calls) == 3:
                raise DeviceError("the device was taken away")
            return run(self, lr)

        Session.run = failing
        return make_map(output)()

    assert run_forked(fail_at_the_third_window).error == "DeviceError: the device was taken away"
    assert not output.exists()
