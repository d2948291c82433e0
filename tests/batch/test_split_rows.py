"""One scene by many workers: whoever makes which rows, the files are the same bytes."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from geosrseg.batch import run_task as module
from geosrseg.batch.plan_work import DONE as THERE
from geosrseg.batch.plan_work import plan_work
from geosrseg.batch.run_on_dask import run_on_dask
from geosrseg.batch.run_task import DONE, FAILED, KEPT, SKIPPED, run_task
from geosrseg.batch.run_work import choose_tasks, run_work
from geosrseg.batch.work import Task, read_work, write_work
from geosrseg.cli.main import main
from geosrseg.errors import OutputBusyError, WorkError
from tests.batch.conftest import write_scene

LAYERS = {"confidence": True, "fractions": True, "sr": True}


@pytest.fixture
def split(tmp_path, plan, scenes):
    """Plan one scene, of five strips of windows, in parts."""

    def make(folder: str, parts: int = 1, **options) -> list[Task]:
        return plan(
            folder, [str(scenes[0])], split_rows=parts,
            **{"window_size": 16, "overlap": 6, **LAYERS, **options},
        )  # fmt: skip

    return make


def quickly(seconds: float) -> None:
    time.sleep(seconds / 50)


def files(folder: Path, *, drafts: Sequence[str] = ()) -> dict[str, bytes]:
    """Every file below a folder, but the products that say when they were made."""
    done = (path for path in folder.iterdir() if path.suffix not in (".json", *drafts))
    return {path.name: path.read_bytes() for path in done}


@pytest.fixture
def whole(tmp_path, split):
    """What one worker makes."""
    run_work(split("whole"))
    return files(tmp_path / "whole")


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_parts_in_any_order_give_the_bytes_of_one_worker(tmp_path, split, whole, parts):
    tasks = split("out", parts)
    assert len(tasks) == parts
    random.Random(parts).shuffle(tasks)
    states = [run_task(task).state for task in tasks]
    assert states == [KEPT] * (parts - 1) + [DONE]
    assert {"s0.tif", "s0.confidence.tif", "s0.sr.tif", "s0.fractions.tif"} <= set(whole)
    assert files(tmp_path / "out") == whole  # and nothing is left beside them


def test_blended_seams_are_computed_on_both_sides_of_a_cut(split):
    """A part runs no more than its own windows and the strip above that reaches into them."""
    (alone,) = run_work(split("one"))
    results = [run_task(task) for task in split("out", 3)]
    columns = 6
    assert alone.windows % columns == 0
    assert sum(result.windows for result in results) == alone.windows + 2 * columns


def test_a_scene_has_no_more_parts_than_strips(split):
    tasks = split("out", 50)
    assert [task.part for task in tasks] == [*range(1, len(tasks) + 1)]
    assert 1 < len(tasks) < 50
    assert len(split("small", 50, window_size=64)) == 1


def test_a_missing_part_is_named_and_the_map_waits_for_it(tmp_path, split, whole):
    tasks = split("out", 3)
    results = [run_task(task) for task in (tasks[2], tasks[0], tasks[2])]
    assert [result.state for result in results] == [KEPT] * 3
    assert [result.waits_for for result in results] == [(1, 2), (2,), (2,)]
    assert results[2].windows == 0  # it was kept
    assert not (tmp_path / "out" / "s0.tif").exists()
    assert run_task(tasks[1]).state == DONE
    assert [run_task(task).state for task in tasks] == [SKIPPED] * 3
    assert files(tmp_path / "out") == whole


def test_the_command_says_which_parts_a_map_waits_for(tmp_path, split):
    write_work(tmp_path / "w.jsonl", split("out", 3))
    done = CliRunner().invoke(main, ["run", str(tmp_path / "w.jsonl"), "--task", "1"])
    assert done.exit_code == 0
    assert "s0.tif: waits for part 1 and part 3: run them too" in done.stderr
    assert "s0.tif (part 2 of 3)" in done.stdout


def test_the_map_is_that_of_a_plan_without_parts(tmp_path, split, scenes, model):
    run_work(split("out", 3))
    found = plan_work(
        [str(scenes[0])], str(tmp_path / "out"), tmp_path / "again.jsonl", model=model,
        device="cpu", precision="fp32", window_size=16, overlap=6, **LAYERS,
    )  # fmt: skip
    assert [item.state for item in found.scenes] == [THERE]


def test_two_workers_at_one_part_at_once_do_no_harm(tmp_path, split, whole):
    tasks = split("out", 2)
    results = []
    threads = [
        threading.Thread(target=lambda task=task: results.append(run_task(task, pause=quickly)))
        for task in (tasks[0], tasks[1], tasks[1], tasks[0])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = {result.state for result in results}
    assert DONE in states
    assert states <= {DONE, KEPT, SKIPPED}, [result.error for result in results]
    assert files(tmp_path / "out") == whole


def test_who_finds_the_map_being_written_waits_for_it(split, monkeypatch):
    tasks = split("out", 2)
    run_task(tasks[0])
    make, pauses = module.make_map, []

    def busy(*_, **__):
        raise OutputBusyError("another process is making it")

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:  # the other worker has died
            monkeypatch.setattr(module, "make_map", make)

    monkeypatch.setattr(module, "make_map", busy)
    assert run_task(tasks[1], pause=pause).state == DONE
    assert len(pauses) == 2


def test_a_changed_scene_fails_and_mixes_no_rows(tmp_path, split, scenes):
    tasks = split("out", 2)
    run_task(tasks[0])
    write_scene(scenes[0], seed=77)
    result = run_task(tasks[1], pause=lambda _: None)
    assert (result.state, "a stopped run used" in result.error) == (FAILED, True)
    assert not (tmp_path / "out" / "s0.tif").exists()


@pytest.mark.slow
def test_a_part_that_is_killed_is_done_again_by_another(tmp_path, split, whole):
    tasks = split("out", 2)
    write_work(tmp_path / "w.jsonl", tasks)
    command = [sys.executable, "-c", SLOWLY, str(tmp_path / "w.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store = tmp_path / "out" / ".s0.tif.geosrseg"
    deadline = time.monotonic() + 60
    while not list(store.glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert {path.name for path in store.glob("*.npz")} == {"000000.npz"}
    results = run_work(choose_tasks(tasks, shard=(2, 2))) + run_work(tasks)
    assert next(result.state for result in results if result.part == 2) == KEPT
    assert {result.state for result in results[1:]} <= {DONE, SKIPPED, KEPT}
    assert files(tmp_path / "out") == whole


SLOWLY = """
import sys, time
from geosrseg.batch.run_work import run_work
from geosrseg.batch.work import read_work
from geosrseg.raster.maps.row_store import RowStore
keep = RowStore.keep
def slowly(self, index, rows, **rest):
    keep(self, index, rows, **rest)
    time.sleep(30)
RowStore.keep = slowly
run_work(read_work(sys.argv[1])[:1])
"""


@pytest.mark.slow
def test_processes_share_a_scene(tmp_path, split, whole):
    assert {result.state for result in run_work(split("out", 4), jobs=2)} <= {DONE, KEPT, SKIPPED}
    assert files(tmp_path / "out") == whole


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_workers_share_a_scene_and_one_of_them_dies(tmp_path, split, whole, cluster):
    pytest.importorskip("distributed")
    address, add = cluster
    first, _ = add(), add()
    ended = []

    def disturb(result):
        ended.append(result)
        first.kill()

    results = run_on_dask(split("out", 5), address, on_result=disturb)
    assert {result.state for result in results} <= {DONE, KEPT, SKIPPED}
    assert len(results) == 5
    # the worker may have been killed while it published
    assert files(tmp_path / "out", drafts=[".partial"]) == whole


def test_lines_of_parts_may_make_one_map_and_one_part_one_line(tmp_path, split):
    tasks, (alone,) = split("out", 3), split("out")
    work = tmp_path / "w.jsonl"
    write_work(work, tasks)
    assert read_work(work) == tasks
    for twice in ([*tasks, tasks[1]], [*tasks, alone], [*tasks, *split("out", 2)]):
        write_work(work, twice)
        with pytest.raises(WorkError, match="both make"):
            read_work(work)


def test_an_object_store_is_no_place_for_parts(split):
    with pytest.raises(WorkError, match="need a folder that all of them see"):
        split("s3://bucket/prefix", 2)
