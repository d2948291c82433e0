"""Running one task: the only place where a line of a work file becomes a map."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from glob import escape
from pathlib import Path
from typing import Any

import rasterio

from geosrseg.batch.archive import (
    Archive,
    is_store,
    item_address,
    open_archive,
    scratch_folder,
    write_mark,
)
from geosrseg.batch.work import Task, hash_option_file
from geosrseg.errors import DeviceError, DeviceMemoryError, GeosrsegError, OutputError, WorkError
from geosrseg.mapping.make_map import make_map
from geosrseg.mapping.model import Model, open_model, request_for
from geosrseg.mapping.prediction import OnProgress, Prediction
from geosrseg.products.products import PRODUCTS
from geosrseg.raster.storage.gdal import GDAL_ERRORS, unreferenced_allowed
from geosrseg.raster.storage.location import Location
from geosrseg.runtime.failure import is_out_of_memory
from geosrseg.runtime.model_address import shown_address
from geosrseg.version import __version__

ATTEMPTS = 3
"""Of a task whose failure may pass: the network, the memory."""

PAUSE = 5.0
"""Seconds before the second attempt; twice as many before the third."""

DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What became of a task.

    Attributes:
        id: of the task.
        scene: its scene.
        output: its map.
        state: ``done``, ``skipped`` (it was there) or ``failed``.
        error: why it failed; empty otherwise.
        seconds: that it took.
        attempts: how often it was tried.
        windows: that were run.
        warnings: what was taken for granted about the scene.
    """

    id: str
    scene: str
    output: str
    state: str
    error: str = ""
    seconds: float = 0.0
    attempts: int = 1
    windows: int = 0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"warnings": list(self.warnings)}


@lru_cache(maxsize=1)
def _model(model: str, device: str, precision: str, threads: int | None) -> Model:
    """The model, loaded once for all tasks of a process."""
    return open_model(model, device=device, precision=precision, threads=threads)


def run_task(
    task: Task,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    on_progress: OnProgress = lambda _: None,
    turn: AbstractContextManager[object] | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> TaskResult:
    """Make the map of a task, if it is not there; a failure is a result too.

    Args:
        task: what to make.
        overwrite: replace a map that stands there and was made by another task.
        threads: of the CPU.
        on_progress: see `predict`.
        turn: held while the network runs.
        pause: waits between attempts.
    """
    run = _Run(task, overwrite, threads, on_progress, turn or nullcontext())
    start = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        result, may_pass = run.once()
        if not may_pass or attempt == ATTEMPTS:
            break
        pause(PAUSE * 2 ** (attempt - 1))
    return replace(
        result,
        seconds=round(time.monotonic() - start, 3),
        attempts=attempt,
        warnings=tuple(dict.fromkeys(run.warnings)),
    )


def result_of(task: Task, state: str, error: str = "") -> TaskResult:
    """What became of a task, without figures."""
    scene = str(Location.of(task.scene))  # without the token that may stand in its address
    return TaskResult(id=task.id, scene=scene, output=task.output, state=state, error=error)


@dataclass(frozen=True, slots=True)
class _Run:
    """A task at work; see `run_task`."""

    task: Task
    overwrite: bool
    threads: int | None
    on_progress: OnProgress
    turn: AbstractContextManager[object]
    warnings: list[str] = field(default_factory=list)

    def once(self) -> tuple[TaskResult, bool]:
        """What became of an attempt, and whether another one is worth its time."""
        try:
            windows = self._make_if_new()
        except GeosrsegError as error:
            return result_of(self.task, FAILED, str(error)), self._may_pass(error)
        except Exception as error:  # of this scene alone: the others are not to pay for it
            text = f"{type(error).__name__}: {error}"
            return result_of(self.task, FAILED, text), is_out_of_memory(error)
        if windows is None:
            return result_of(self.task, SKIPPED), False
        return replace(result_of(self.task, DONE), windows=windows), False

    def _may_pass(self, error: GeosrsegError) -> bool:
        """What failed was the network, or the memory."""
        if isinstance(error, DeviceMemoryError):
            return True
        remote = "://" in self.task.scene or is_store(self.task.output)
        return remote and not isinstance(error, WorkError | DeviceError)

    def _make_if_new(self) -> int | None:
        """The windows that were run; None for a map that was there."""
        task = self.task
        if task.error:
            raise WorkError(f"it could not be planned: {task.error}")
        _check_version(task)
        archive = open_archive(task.output)
        mark = archive.mark(task)
        if archive.is_done(task, mark):
            return None
        _check_files(task)
        model = _model(task.model, task.device, task.precision, self.threads)
        _check_model(task, model)
        is_other = mark not in (None, task.id) and not _is_unfinished(task)
        if is_other and not self.overwrite:
            raise OutputError(
                f"{task.output}: exists, and was not made by this task: choose another folder, or "
                "replace it with `overwrite`"
            )
        with _folder(task) as folder:
            item = folder / f".{task.name}.item.json"
            # What stands there was judged above.
            done = self._make(model, folder, item, overwrite=self.overwrite or mark is not None)
            _finish(task, archive, done, item, replace=mark is not None)
            return done.windows

    def _make(self, model: Model, folder: Path, item: Path, *, overwrite: bool) -> Prediction:
        output = folder / f"{self.task.name}.tif"
        products: dict[str, Any] = {n: _product_path(output, n) for n in self.task.products}
        options = dict(self.task.options) | products | {"stac": item}
        request = request_for(self.task.scene, output, **options)
        request.check_outputs(overwrite=True)  # the names; `make_map` knows what this task has left
        return make_map(
            request,
            model.session,
            overwrite=overwrite,
            on_progress=self.on_progress,
            may_halve=False,
            turn=self.turn,
            on_warning=self.warnings.append,
        )


def _finish(task: Task, archive: Archive, done: Prediction, item: Path, *, replace: bool) -> None:
    write_mark(item, task)
    folder = done.output.parent
    own = [path for path in sorted(folder.glob(f"{escape(task.name)}.*")) if path.is_file()]
    archive.publish(own if is_store(task.output) else [], item, task, replace=replace)


def _product_path(output: Path, name: str) -> Path:
    """A product's file beside the map, with the first suffix that it may have."""
    return output.with_suffix(PRODUCTS.load(name).suffixes[0])


def _check_version(task: Task) -> None:
    if task.version != __version__:
        raise WorkError(
            f"planned by geosrseg {task.version}, and this is {__version__}: install that version, "
            "or plan again"
        )


def _check_files(task: Task) -> None:
    for name, digest in task.files.items():
        path = task.options[name]
        if hash_option_file(path) != digest:
            raise WorkError(f"{path}: has changed since the work was planned: plan again")


def _check_model(task: Task, model: Model) -> None:
    session = model.session
    if session.sha256 != task.sha256:
        raise WorkError(
            f"{shown_address(task.model)}: is another model than was planned (SHA-256 "
            f"{session.sha256[:12]}…, expected {task.sha256[:12]}…)"
        )
    if (session.device, session.precision) != (task.device, task.precision):
        raise DeviceError(
            f"this machine gives {session.device} in {session.precision}, planned was "
            f"{task.device} in {task.precision}: run it elsewhere, or plan again"
        )


def _is_unfinished(task: Task) -> bool:
    """The map there is what a run of this task left that was killed before its item."""
    if is_store(task.output):
        return True  # nobody else writes below an archive's prefix without an item
    if Path(item_address(task)).exists():
        return False
    try:
        with unreferenced_allowed(), rasterio.open(task.output, driver="GTiff") as dataset:
            tags = dataset.tags()
    except GDAL_ERRORS:
        return False
    made_by = tags.get("GEOSRSEG_MODEL_SHA256"), tags.get("GEOSRSEG_INPUT")
    scene = task.scene.rpartition("/")[2]
    return made_by[0] == task.sha256 and bool(made_by[1]) and str(made_by[1]) in (scene, task.name)


def _folder(task: Task) -> AbstractContextManager[Path]:
    """Where the map is made: beside its name, or in a folder of this machine for a store."""
    if not is_store(task.output):
        folder = Path(task.output).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error
        return nullcontext(folder)
    return scratch_folder()
