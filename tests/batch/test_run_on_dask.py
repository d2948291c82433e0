"""Work on a Dask cluster: a real scheduler and three worker processes, of which one is killed."""

import os
import signal
import socket
import threading
import time

import pytest

from geosrseg.batch.run_on_dask import run_on_dask
from geosrseg.batch.run_task import DONE, SKIPPED, result_of
from geosrseg.batch.run_work import run_work
from geosrseg.errors import WorkError
from tests.batch.conftest import maps

pytest.importorskip("distributed")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_workers_may_die_and_come_late(tmp_path, plan, cluster):
    run_work(plan("one"))
    address, add = cluster
    first, _ = add(), add()
    tasks = plan("out")
    ended = []

    def disturb():
        while not ended and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(first.pid, signal.SIGKILL)
        add()

    deadline = time.monotonic() + 60
    helper = threading.Thread(target=disturb)
    helper.start()
    results = run_on_dask(tasks, address, on_result=ended.append)
    helper.join()
    # A result that died with its worker is asked for again, and its map is there by then.
    assert {result.state for result in results} <= {DONE, SKIPPED}
    assert len(results) == len(tasks)
    assert maps(tmp_path / "out") == maps(tmp_path / "one")


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_is_one_line(plan, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WorkError, match="no Dask scheduler answers"):
        run_on_dask(plan("out"), f"tcp://127.0.0.1:{port}", patience=0.5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_always_dies_fails_its_task_and_no_other(plan, cluster, monkeypatch):
    """What Dask says of a failure is one line."""
    address, add = cluster
    for _ in range(5):
        add()
    tasks = plan("out")[:3]
    monkeypatch.setattr("geosrseg.batch.run_on_dask.run_task", dies_of_the_second)
    results = run_on_dask(tasks, address)
    assert {r.scene.rpartition("/")[2]: r.error for r in results} == {
        "s0.tif": "", "s2.tif": "", "s1.tif": "its worker died 3 times: is there enough memory?",
    }  # fmt: skip


def dies_of_the_second(task, **_):
    if task.scene.endswith("s1.tif"):
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
    return result_of(task, DONE)
