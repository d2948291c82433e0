"""Small scenes, and the plan of their maps by a tiny model."""

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.batch.plan_work import plan_work
from geosrseg.batch.work import Task, read_work

WORKER = "from distributed.cli.dask_worker import main; main()"
SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"

BANDS = ("band 1", "band 2", "band 3")


def write_scene(
    path: Path, *, seed: int, crs: str | None = "EPSG:32636", broken: bool = False
) -> Path:
    """A scene of 3 bands of reflectance; a broken one has none of the model's names."""
    values = np.random.default_rng(seed).uniform(0.05, 0.5, (3, 41, 53)).astype(np.float32)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 3, "height": 41, "width": 53}
    transform = Affine(30, 0, 500_000 + 3000 * seed, 0, -30, 4_000_000)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as file:
        file.write(values)
        file.descriptions = ("a", "b", "c") if broken else BANDS
    return path


@pytest.fixture
def scenes(tmp_path: Path) -> list[Path]:
    """Six scenes in two coordinate systems."""
    return [
        write_scene(tmp_path / "in" / f"s{k}.tif", seed=k, crs=f"EPSG:{32636 + k % 2}")
        for k in range(6)
    ]


@pytest.fixture
def model(tiny_model) -> Path:
    """A model of the scenes' bands."""
    return tiny_model(bands=3, reach=2)


@pytest.fixture
def plan(tmp_path: Path, scenes, model):
    """Plan the scenes into a folder: ``plan("out")`` gives the tasks."""

    def make(folder: str, words: list[str] | None = None, **options) -> list[Task]:
        address = folder if "://" in folder else str(tmp_path / folder)
        work = tmp_path / f"{Path(folder).name}.jsonl"
        plan_work(
            words or [str(path) for path in scenes], address, work,
            model=model, device="cpu", precision="fp32", overwrite=True, **options,
        )  # fmt: skip
        return read_work(work)

    return make


def maps(folder: Path) -> dict[str, bytes]:
    """The bytes of every class map below a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tif"))}


def start(code, *words):
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def cluster(tmp_path):
    """The scheduler's address, and a function that starts a worker."""
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    where = ("--host", "127.0.0.1", "--no-dashboard")
    processes = [start(SCHEDULER, "--port", str(port), *where)]

    def add():
        own = ("--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path / "dask"))
        processes.append(start(WORKER, address, *own, *where))
        return processes[-1]

    yield address, add
    for process in reversed(processes):
        process.kill()
        process.wait()
