"""Many scenes through one process: no memory, no file and no thread stays behind."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.tiny_datasets import write_raster

CODE = """
import gc, json, os, sys
from pathlib import Path
from geosrseg.mapping.model import open_model

os.fsync = lambda handle: None
folder, model, *scenes = sys.argv[1:]

def state():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return [pages * os.sysconf("SC_PAGE_SIZE"), *(len(os.listdir(f"/proc/self/{name}"))
            for name in ("fd", "task"))]

states, failed, done = [], 0, 0

def note(outcome):
    global failed, done
    done += 1
    failed += outcome.error is not None
    if done in (10, len(scenes)):
        states.append(state())

with open_model(model, device="cpu", threads=1) as model:
    model.map_scenes(scenes, folder, on_outcome=note, confidence=True, fractions=True)
print(json.dumps([*states, failed]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory, files and threads as /proc has them")
def test_after_200_scenes_a_process_is_as_after_10(tmp_path, tiny_model):
    model, maps = tiny_model(window_size=64), tmp_path / "maps"
    maps.mkdir()
    for number in range(10):
        shape = (3, 60 + 17 * number, 150 - 11 * number)
        numbers = np.random.default_rng(number).integers(500, 5000, shape).astype(np.int16)
        write_raster(tmp_path / f"{number}.tif", numbers, names=("band 1", "band 2", "band 3"))
    damaged = tmp_path / "7.tif"  # failures leave nothing either
    damaged.write_bytes(damaged.read_bytes()[:-5000])
    scenes = [tmp_path / f"scene {number}.tif" for number in range(200)]
    for number, scene in enumerate(scenes):
        os.link(tmp_path / f"{number % 10}.tif", scene)
    words = [sys.executable, "-c", CODE, maps, model, *scenes]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
    after_10, after_200, failed = json.loads(done.stdout)
    assert failed == 20
    assert after_200[0] < 1.05 * after_10[0], "memory"
    assert after_200[1:] == after_10[1:], "open files, threads"
