"""Many scenes by one process, by shards at once, and by a cluster whose workers are killed.

With real scenes it takes a minute: `GEOSRSEG_LONG=1 pytest tests/batch/test_many_scenes.py`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import rasterio

from geosrseg.batch.plan_work import plan_work
from geosrseg.batch.run_on_dask import run_on_dask
from geosrseg.batch.run_task import FAILED
from geosrseg.batch.run_work import choose_tasks, run_work
from geosrseg.batch.work import read_work
from tests.batch.conftest import maps, write_scene
from tests.batch.real_scenes import BROKEN, make_scenes
from tests.shared_data import shared

SYSTEMS = (32636, 32637, 3857, 4326, 6933, 3035, 5070, 32722)


def failed(results):
    return sorted(Path(result.scene).stem for result in results if result.state == FAILED)


def check_whole(folder, expected):
    """Nothing but whole maps, each with its item, and the bytes of each are those expected."""
    assert maps(folder) == expected
    assert [path.name for path in folder.glob(".*")] == []
    for path in folder.glob("*.tif"):
        assert path.with_suffix(".json").is_file()
        with rasterio.open(path) as dataset:
            dataset.checksum(1)


def test_shards_at_once_give_the_bytes_of_one_process(tmp_path, plan):
    scenes = [
        write_scene(
            tmp_path / "in" / f"n{k}.tif", seed=k, crs=f"EPSG:{SYSTEMS[k % 8]}", broken=k == 5
        )
        for k in range(12)
    ]
    words = [str(path) for path in scenes]
    assert failed(run_work(plan("one", words))) == ["n5"]
    tasks = plan("parts", words)
    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(run_work, [choose_tasks(tasks, shard=(k, 4)) for k in (3, 1, 4, 2)])
        assert failed(result for part in parts for result in part) == ["n5"]
    check_whole(tmp_path / "parts", maps(tmp_path / "one"))


@pytest.fixture
def fifty(tmp_path):
    """The tasks of fifty real scenes for a folder; one of the scenes is gone since."""
    if "GEOSRSEG_LONG" not in os.environ:
        pytest.skip("takes a minute: set GEOSRSEG_LONG=1")
    scenes = make_scenes(shared("gewata").parent, tmp_path / "in")
    assert len(scenes) == 50

    def work(folder):
        path = tmp_path / f"{folder}.jsonl"
        plan_work(
            [str(scene) for scene in scenes], str(tmp_path / folder), path,
            device="cpu", precision="fp32", overwrite=True,
        )  # fmt: skip
        return path

    files = {folder: work(folder) for folder in ("one", "parts", "dask")}
    (tmp_path / "in" / "vanished.tif").unlink()
    return files


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_fifty_real_scenes(tmp_path, fifty, cluster):
    address, add = cluster
    assert failed(run_work(read_work(fifty["one"]))) == sorted(BROKEN)
    expected = maps(tmp_path / "one")
    assert len(expected) == 47

    command = [sys.executable, "-m", "geosrseg", "run", str(fifty["parts"]), "--shard"]
    parts = [
        subprocess.Popen([*command, f"{k}/4"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for k in (2, 4, 1, 3)
    ]
    said = b"".join(part.communicate()[1] for part in parts).decode()
    assert all(f"error: {tmp_path}/in/{name}.tif: " in said for name in BROKEN)
    check_whole(tmp_path / "parts", expected)

    workers, ended = [add(), add(), add()], []

    def disturb():
        for count in (3, 20):
            while len(ended) < count:
                time.sleep(0.01)
            os.kill(workers.pop(0).pid, signal.SIGKILL)
            workers.append(add())

    helper = threading.Thread(target=disturb)
    helper.start()
    results = run_on_dask(read_work(fifty["dask"]), address, on_result=ended.append)
    helper.join()
    assert len(results) == 50
    assert failed(results) == sorted(BROKEN)
    check_whole(tmp_path / "dask", expected)
