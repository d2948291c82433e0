"""RunList: finds the runs below a folder, with their data, network and progress."""

import hashlib
import json
import math
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geosrseg.errors import GeosrsegError, RunError
from geosrseg.raster.storage.lock import is_locked
from geosrseg.training.run_folder.metrics_table import MONITOR, read_metrics
from geosrseg.training.run_folder.run import LOCK, Run
from geosrseg.training.run_folder.run_config import RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A run as a list shows it; fields that a damaged run does not reveal are empty.

    Attributes:
        state: ``running``, ``finished``, ``stopped`` or ``damaged``.
        network: names of its parts.
        epochs: number of epochs to train.
        done: number of finished epochs.
        best: highest validation mean IoU; None before the first.
        changed: time of the last change, in seconds since 1970.
        problem: why the run is damaged.
        fold: number of the fold and of all folds; empty without cross-validation.
        series: hash shared by the runs of a cross-validation; empty without one.
    """

    path: str
    state: str
    dataset: str = ""
    protocol: str = ""
    upscale_factor: int = 0
    network: str = ""
    epochs: int = 0
    done: int = 0
    best: float | None = None
    changed: float
    problem: str = ""
    fold: tuple[int, ...] = ()
    series: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def list_runs(folder: str | Path) -> list[ListedRun]:
    """List the runs in a folder and its subfolders, by path; the folder may be a run itself.

    Raises:
        RunError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"{folder} is not a folder: expected one with runs")
    return [_describe(Run(path)) for path in _run_folders(folder)]


def _run_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs; a run does not contain others."""
    if (folder / "config.json").is_file() and _looks_like_a_run(folder):
        yield folder
        return
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return
    for path in below:
        if not path.name.startswith(".") and not path.is_symlink():
            yield from _run_folders(path)


def _looks_like_a_run(folder: Path) -> bool:
    """Tell a run from other programs' folders with a ``config.json``."""
    names = ("metrics.csv", "last.ckpt", "best.ckpt", "weights.safetensors", "tensorboard", LOCK)
    if any((folder / name).exists() for name in names):
        return True
    try:
        Run(folder).config()
    except GeosrsegError:
        return False
    return True


def _describe(run: Run) -> ListedRun:
    changed = max(
        (file.stat().st_mtime for file in run.path.iterdir() if file.is_file()), default=time.time()
    )
    try:
        config = run.config()
        rows = read_metrics(run.metrics_table) if run.metrics_table.exists() else []
    except GeosrsegError as error:
        return ListedRun(path=str(run.path), state="damaged", changed=changed, problem=str(error))
    network, recipe = config.network, config.recipe
    has_sr = network.protocol not in ("lr", "hr")
    parts = f"{network.sr} + {network.seg}" if has_sr else network.seg
    figures = [row[MONITOR] for row in rows if math.isfinite(row.get(MONITOR, math.nan))]
    return ListedRun(
        path=str(run.path),
        state=_state(run, len(rows)),
        dataset=config.dataset,
        protocol=network.protocol,
        upscale_factor=network.upscale_factor,
        network=network.joint or parts,
        epochs=recipe.epochs * (2 if network.two_stage else 1),
        done=len(rows),
        best=max(figures, default=None),
        changed=changed,
        fold=config.fold,
        series=_series(config),
    )


def _series(config: RunConfig) -> str:
    """Hash the part of the configuration that all folds of a cross-validation share."""
    if not config.fold:
        return ""
    values = json.loads(config.to_json())
    for key in ("fold", "normalization", "domain", "teacher", "init"):
        del values[key]
    values["folds"] = config.fold[1]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _state(run: Run, done: int) -> str:
    if is_locked(run.path / LOCK):
        return "running"
    if run.finished:
        return "finished"
    # `is_zipfile` only looks at the end of the archive: reading checkpoints would take minutes.
    kept = any(
        file.is_file() and zipfile.is_zipfile(file)
        for file in (run.last_checkpoint, run.best_checkpoint)
    )
    lost = not kept and (done > 0 or run.last_checkpoint.exists())
    return "damaged" if lost else "stopped"
