"""Measures how well workers share a machine, on several scenes and on one in parts.

    python docs/benchmark_workers.py --jobs 2 --size 960 --repeats 3

One worker and several take turns, each with one thread per process. Ideally N workers take an
N-th of the time of one. Strips of a part that run twice count against them.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from geosrseg.batch.plan_work import plan_work
from geosrseg.batch.run_work import run_work
from geosrseg.batch.work import read_work
from geosrseg.mapping.model import open_model
from geosrseg.raster.synthetic_scene import write_synthetic_scene


def main() -> None:
    """Print wall and CPU seconds of both, and the share of the ideal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=960, help="LR pixels along each side")
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--window", type=int, default=336, help="LR pixels along each side")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", default="landcover-3x")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenes = _write_scenes(Path(folder), wanted.scenes, wanted.size, wanted.model)
        _compare("whole scenes", scenes, 1, wanted)
        _compare("one scene in parts", scenes[:1], wanted.jobs, wanted)


def _write_scenes(folder: Path, count: int, size: int, model: str) -> list[Path]:
    with open_model(model, device="cpu", threads=1) as opened:
        spec = opened.spec
    paths = [folder / f"s{k}.tif" for k in range(count)]
    for seed, path in enumerate(paths):
        write_synthetic_scene(
            path, height=size, width=size, bands=spec.bands, normalization=spec.normalization,
            seed=seed,
        )  # fmt: skip
    return paths


def _compare(name: str, scenes: Sequence[Path], parts: int, wanted: argparse.Namespace) -> None:
    times: dict[int, list[tuple[float, float]]] = {1: [], wanted.jobs: []}
    for _ in range(wanted.repeats):
        for jobs in times:
            times[jobs].append(_run(scenes, jobs, parts if jobs > 1 else 1, wanted))
    print(f"{name}: {len(scenes)} of {wanted.size} x {wanted.size} LR pixels")
    for jobs, found in times.items():
        walls, cpus = zip(*found, strict=True)
        print(f"  {jobs} worker(s): {median(walls):.1f} s wall, {median(cpus):.1f} s CPU")
    ratio = median(one[0] / many[0] for one, many in zip(*times.values(), strict=True))
    print(f"  {ratio:.2f} times as fast, {ratio / wanted.jobs:.2f} of the ideal")


def _run(
    scenes: Sequence[Path], jobs: int, parts: int, wanted: argparse.Namespace
) -> tuple[float, float]:
    """Return wall and CPU seconds, start of the processes and of the model included."""
    with tempfile.TemporaryDirectory(dir=scenes[0].parent) as folder:
        work = Path(folder) / "work.jsonl"
        plan_work(
            [str(path) for path in scenes], folder, work, model=wanted.model, device="cpu",
            precision="fp32", window_size=wanted.window, split_rows=parts,
        )  # fmt: skip
        start, before = time.monotonic(), _cpu_seconds()
        if jobs == 1:  # in a process too, so that its start counts for both
            _in_a_child(work)
        else:
            ended = run_work(read_work(work), jobs=jobs, threads=1)
            if errors := [result.error for result in ended if result.error]:
                raise SystemExit(errors[0])
        return time.monotonic() - start, _cpu_seconds() - before


def _in_a_child(work: Path) -> None:
    """Run one process, which reads and runs a scene while it writes the last one."""
    command = [sys.executable, "-m", "geosrseg", "run", str(work), "--threads", "1"]
    subprocess.run(command, check=True, capture_output=True)


def _cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
