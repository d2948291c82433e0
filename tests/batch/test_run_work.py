"""Work done here: once, in shards, by several processes, after a stop; always the same bytes."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from geosrseg.batch.archive import MARK
from geosrseg.batch.index_archive import index_archive
from geosrseg.batch.open_archive import open_archive
from geosrseg.batch.plan_work import BROKEN, plan_work
from geosrseg.batch.run_task import DONE, FAILED, SKIPPED, run_task
from geosrseg.batch.run_work import choose_tasks, run_work
from geosrseg.batch.work import read_work, write_work
from geosrseg.errors import OutputBusyError, OutputError, WorkError
from tests.batch.conftest import maps, write_scene


@pytest.mark.parametrize("folder", ["ftp://host/maps", "https://host/maps/"])
def test_addresses_that_are_no_archive_are_refused(plan, tmp_path, folder):
    with pytest.raises(OutputError, match=r"expected a folder, or an address .* s3://"):
        plan(folder)
    assert not list(tmp_path.glob("*.jsonl"))


def states(results):
    return sorted(result.state for result in results)


def test_maps_are_those_of_predict(tmp_path, plan, scenes, model):
    from geosrseg.mapping.predict import predict

    tasks = plan("out")
    assert states(run_work(tasks)) == [DONE] * 6
    for scene in scenes:
        options = {"window_size": tasks[0].options["window_size"]}
        predict(
            scene, tmp_path / scene.name, model=model, device="cpu", precision="fp32", **options
        )
        assert (tmp_path / scene.name).read_bytes() == (tmp_path / "out" / scene.name).read_bytes()


def test_what_is_done_is_skipped_and_its_item_says_by_which_task(tmp_path, plan):
    tasks = plan("out")
    run_work(tasks[:2])
    assert states(run_work(tasks[:3])) == [DONE, SKIPPED, SKIPPED]
    item = json.loads((tmp_path / "out" / "s0.json").read_text())
    assert item["properties"][MARK] == tasks[0].id


class Killed(BaseException):
    """Stands for the end of the process: no handler of errors catches it."""


def killed_at(monkeypatch, place: str, task, **options) -> None:
    """Run a task in a process that is killed when it calls what `place` names."""

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, die)
        with pytest.raises(Killed):
            run_task(task, **options)


PRODUCTS = "geosrseg.mapping.make_map._write_products"
ITEM = "geosrseg.batch.folder_archive._give_new_name"
STORE = "geosrseg.raster.maps.row_store.RowStore.remove"


@pytest.mark.parametrize("place", [PRODUCTS, ITEM])
def test_a_map_whose_maker_was_killed_before_its_item_is_finished(
    tmp_path, plan, monkeypatch, place
):
    run_work(plan("one")[:1])
    task = plan("out")[0]
    killed_at(monkeypatch, place, task)
    assert (tmp_path / "out" / "s0.tif").exists()
    other = plan("out", confidence=True)[0]
    assert run_task(other).state == FAILED
    assert run_task(task).state == DONE
    assert maps(tmp_path / "out") == maps(tmp_path / "one")
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_what_a_process_leaves_that_is_killed_after_the_item_is_removed(
    tmp_path, plan, monkeypatch
):
    task = plan("out")[0]
    killed_at(monkeypatch, STORE, task)
    item = tmp_path / "out" / "s0.json"
    os.link(item, tmp_path / "out" / ".s0.item.json")  # between the two names of the item
    assert index_archive(tmp_path / "out").maps == 1
    assert run_task(task).state == SKIPPED
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("place", [PRODUCTS, ITEM])
def test_a_map_that_was_being_replaced_no_longer_counts_as_that_of_its_plan(
    tmp_path, plan, monkeypatch, place
):
    task = plan("out")[0]
    run_task(task)
    other = plan("out", confidence=True)[0]
    killed_at(monkeypatch, place, other, overwrite=True)
    assert run_task(task).state == FAILED
    assert run_task(other).state == DONE


def test_a_map_of_predict_is_replaced_only_when_asked(tmp_path, plan, scenes, model):
    from geosrseg.mapping.predict import predict

    (tmp_path / "out").mkdir()
    made = tmp_path / "out" / "s0.tif"
    predict(scenes[0], made, model=model, device="cpu", precision="fp32", confidence=True)
    before = made.read_bytes()
    task = plan("out", window_size=16)[0]
    failed = run_task(task)
    assert (failed.state, "and not by this task" in failed.error) == (FAILED, True)
    assert made.read_bytes() == before
    assert run_task(task, overwrite=True).state == DONE


def test_who_finds_a_twin_at_work_waits_for_it(plan):
    task = plan("out")[0]
    began, ended = threading.Event(), threading.Event()

    def progress(_):
        began.set()
        ended.wait(60)

    first = []
    maker = threading.Thread(
        target=lambda: first.append(run_task(task, on_progress=progress).state)
    )
    maker.start()
    assert began.wait(60)

    def pause(_):
        ended.set()
        maker.join()

    assert run_task(task, pause=pause).state == SKIPPED
    assert first == [DONE]


def test_who_waits_for_a_twin_ends_when_the_run_is_stopped(plan, monkeypatch):
    def busy(*_, **__):
        raise OutputBusyError("another process is making it")

    monkeypatch.setattr("geosrseg.batch.run_task.make_map", busy)
    waits = []
    result = run_task(plan("out")[0], pause=lambda seconds: waits.append(seconds) or True)
    assert (result.state, len(waits)) == (FAILED, 5)


def test_a_map_that_was_deleted_is_made_again_though_its_item_is_there(tmp_path, plan):
    tasks = plan("out")
    run_work(tasks[:1])
    (tmp_path / "out" / "s0.tif").unlink()
    assert states(run_work(tasks[:1])) == [DONE]
    assert states(run_work(tasks[:1])) == [SKIPPED]


def test_a_map_of_another_plan_is_replaced_only_when_asked(tmp_path, plan):
    run_work(plan("out")[:1])
    other = plan("out", confidence=True)[:1]
    (failed,) = run_work(other)
    assert (failed.state, "and not by this task" in failed.error) == (FAILED, True)
    assert states(run_work(other, overwrite=True)) == [DONE]
    assert (tmp_path / "out" / "s0.confidence.tif").is_file()


def test_shards_in_any_order_give_the_same_bytes(tmp_path, plan):
    run_work(plan("one"))
    tasks = plan("parts")
    for part in (3, 1, 4, 2):
        run_work(choose_tasks(tasks, shard=(part, 4)))
    assert maps(tmp_path / "parts") == maps(tmp_path / "one")


@pytest.mark.slow
def test_processes_give_the_same_bytes(tmp_path, plan):
    run_work(plan("one"))
    assert states(run_work(plan("many"), jobs=2)) == [DONE] * 6
    assert maps(tmp_path / "many") == maps(tmp_path / "one")


def test_a_scene_that_fails_stops_no_other(tmp_path, plan, scenes):
    tasks = plan("out")
    scenes[1].unlink()
    results = run_work(tasks)
    assert states(results) == [DONE] * 5 + [FAILED]
    (failed,) = [result for result in results if result.state == FAILED]
    assert "no such file" in failed.error
    assert failed.scene == str(scenes[1])


def test_a_broken_scene_is_named_in_the_plan(tmp_path, scenes, model):
    broken = write_scene(tmp_path / "in" / "broken.tif", seed=9, broken=True)
    found = plan_work(
        [str(scenes[0]), str(broken)], str(tmp_path / "out"), tmp_path / "w.jsonl",
        model=model, device="cpu", precision="fp32",
    )  # fmt: skip
    assert [item.state for item in found.scenes] == ["new", BROKEN]
    tasks = read_work(tmp_path / "w.jsonl")
    assert len(tasks) == 2  # one line a scene, so that none is lost
    results = run_work(tasks)
    assert states(results) == [DONE, FAILED]
    assert [r.error for r in results if r.state == FAILED] == [
        f"could not be planned: {found.scenes[1].error}"
    ]


@pytest.mark.parametrize(
    ("names", "options", "file"),
    [
        (("collection",), {}, "collection.json"),
        (("index.gti",), {"products": ["vector"]}, "index.gti.gpkg"),
        (("a", "a.confidence"), {"confidence": True}, "a.confidence.tif"),
        (("a", "A.sr"), {"sr": True}, "A.sr.tif"),
    ],
)
def test_scenes_that_would_share_a_file_are_refused(tmp_path, plan, names, options, file):
    scenes = [str(write_scene(tmp_path / "in" / f"{name}.tif", seed=1)) for name in names]
    with pytest.raises(WorkError, match=f"would both write {re.escape(file)}: rename the scene"):
        plan("out", scenes, **options)
    assert not (tmp_path / "out.jsonl").exists()


def test_the_refusal_shows_no_signature(plan):
    with pytest.raises(
        WorkError, match=r"index of the maps and https://h/collection\.tif"
    ) as fault:
        plan("out", ["https://h/collection.tif?sig=SECRET"])
    assert "SECRET" not in str(fault.value)


def test_layers_that_are_not_made_are_no_reason_to_refuse(tmp_path, plan):
    names = ("a", "a.confidence", "index.gti")
    scenes = [str(write_scene(tmp_path / "in" / f"{name}.tif", seed=1)) for name in names]
    assert len(plan("out", scenes)) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "0.0.1"}, "planned by geosrseg 0.0.1"),
        ({"sha256": "0" * 64}, "is another model than was planned"),
        ({"precision": "bf16"}, "bf16"),
    ],
)
def test_a_worker_that_cannot_give_the_bytes_fails(plan, change, words):
    result = run_task(replace(plan("out")[0], **change), pause=lambda _: None)
    assert result.state == FAILED
    assert words in result.error


def test_memory_is_worth_another_attempt(plan, monkeypatch):
    from geosrseg.batch import run_task as module
    from geosrseg.errors import DeviceMemoryError

    def out_of_memory(*_, **__):
        raise DeviceMemoryError("no memory left")

    waits = []
    monkeypatch.setattr(module, "make_map", out_of_memory)
    result = run_task(plan("out")[0], pause=waits.append)
    assert (result.state, result.attempts, len(waits)) == (FAILED, 3, 2)


def test_a_process_that_dies_takes_no_other_task_with_it(tmp_path, plan, monkeypatch):
    tasks = plan("out")[:3]
    killer = replace(tasks[1], scene=f"{tasks[1].scene}.killer")
    monkeypatch.setattr("geosrseg.batch.worker_process.run_task", dies_of_killers)
    results = run_work([tasks[0], killer, tasks[2]], jobs=2)
    assert {r.scene: r.state for r in results} == {
        tasks[0].scene: DONE, killer.scene: FAILED, tasks[2].scene: DONE,
    }  # fmt: skip
    assert [r.error for r in results if r.error] == [
        "its worker died 3 times: is there enough memory?"
    ]


def dies_of_killers(task, **options):
    if task.scene.endswith("killer"):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task, **options)


def test_what_nobody_foresaw_fails_one_task(plan, monkeypatch):
    from geosrseg.batch import run_task as module

    make = module.make_map

    def odd(request, *words, **options):
        if "s1" in str(request.output):
            raise ZeroDivisionError("surprise")
        return make(request, *words, **options)

    monkeypatch.setattr(module, "make_map", odd)
    results = run_work(plan("out")[:3])
    assert states(results) == [DONE, DONE, FAILED]
    assert [r.error for r in results if r.error] == ["ZeroDivisionError: surprise"]


def test_the_next_scene_is_run_while_the_last_one_is_written(plan, monkeypatch):
    from geosrseg.mapping import make_map as module

    publish, next_one_ran, overlapped = module._publish, threading.Event(), []

    def slowly(job, *words, **options):
        if "s0" in str(job.request.output):
            overlapped.append(next_one_ran.wait(60))
        return publish(job, *words, **options)

    def progress(task, progress):
        if "s1" in task.scene and progress.windows_done == progress.windows_total:
            next_one_ran.set()

    monkeypatch.setattr(module, "_publish", slowly)
    assert states(run_work(plan("out")[:2], on_progress=progress)) == [DONE] * 2
    assert overlapped == [True]


def test_warnings_belong_to_their_scene(tmp_path, plan, recwarn):
    bare = write_scene(tmp_path / "in" / "bare.tif", seed=7, crs=None)
    results = run_work(plan("out", [str(bare), str(tmp_path / "in" / "s0.tif")]))
    assert {r.scene: len(r.warnings) for r in results} == {
        str(bare): 1, str(tmp_path / "in" / "s0.tif"): 0,
    }  # fmt: skip
    assert not recwarn.list


@pytest.mark.parametrize(
    "choice", [{"number": 6}, {"shard": (0, 4)}, {"shard": (5, 4)}, {"number": -1}]
)
def test_a_task_or_shard_that_is_not_there_is_refused(plan, choice):
    with pytest.raises(WorkError, match="there is no"):
        choose_tasks(plan("out"), **choice)


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_gives_the_same_bytes(tmp_path, plan):
    run_work(plan("one"))
    tasks = plan("out")
    write_work(tmp_path / "w.jsonl", tasks)
    command = [sys.executable, "-m", "geosrseg", "run", str(tmp_path / "w.jsonl")]
    for delay in (1.5, 2.5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, capture_output=True)
    assert maps(tmp_path / "out") == maps(tmp_path / "one")


@pytest.mark.parametrize("has_links", [True, False])
def test_of_two_plans_that_publish_one_name_at_once_the_second_fails(
    tmp_path, plan, monkeypatch, has_links
):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr("os.link", no_links)
    tasks = plan("out")
    (tmp_path / "out").mkdir()
    archive = open_archive(tasks[0].output)

    def publish(task):
        item = tmp_path / "out" / ".s0.item.json"
        with archive.publishing(item, task, replace=False):
            item.write_text(json.dumps({"properties": {}}))
        assert not item.exists()

    publish(tasks[0])
    publish(tasks[0])  # a twin
    with pytest.raises(OutputError, match="another map was published there meanwhile"):
        publish(replace(tasks[0], precision="bf16"))
    assert json.loads((tmp_path / "out" / "s0.json").read_text())["properties"] == {
        MARK: tasks[0].map_id
    }


def test_a_file_of_somebody_else_is_not_replaced(tmp_path, plan):
    tasks = plan("out", products=["areas"])[:1]
    table = tmp_path / "out" / "s0.csv"
    table.parent.mkdir()
    table.write_text("mine")
    (failed,) = run_work(tasks)
    assert (failed.state, f"{table}: exists" in failed.error) == (FAILED, True)
    assert table.read_text() == "mine"
    assert states(run_work(tasks, overwrite=True)) == [DONE]
