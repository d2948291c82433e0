"""RunList: the runs below a folder, what each learned from, and how far it is."""

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
    """A run as a list shows it; what a damaged one does not say is empty.

    Attributes:
        path: its folder.
        state: ``running``, ``finished``, ``stopped`` or ``damaged``.
        dataset: what it learned from.
        protocol: see `NetworkConfig`.
        upscale_factor: see there.
        network: names of its parts.
        epochs: to be done.
        done: epochs that are.
        best: highest validation mean IoU; None before the first.
        changed: seconds since 1970, when it last wrote.
        problem: why it is damaged.
        fold: number of its fold, and of all; empty without a cross-validation.
        series: what the runs of one cross-validation have in common; empty without one.
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
        """A plain dictionary."""
        return asdict(self)


def list_runs(folder: str | Path) -> list[ListedRun]:
    """The runs in a folder and its subfolders, by path; the folder may be a run itself.

    Raises:
        RunError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder: expected one with runs")
    return [_describe(Run(path)) for path in _run_folders(folder)]


def _run_folders(folder: Path) -> Iterator[Path]:
    """Folders with a run's configuration and its files; nothing below a run is one."""
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
    """Other programs have a ``config.json`` too."""
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
    """A hash of what the folds of a cross-validation share; ranges and means are each one's own."""
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
    # The end of the archive is looked for: reading all of every checkpoint would take minutes.
    kept = any(
        file.is_file() and zipfile.is_zipfile(file)
        for file in (run.last_checkpoint, run.best_checkpoint)
    )
    lost = not kept and (done > 0 or run.last_checkpoint.exists())
    return "damaged" if lost else "stopped"
