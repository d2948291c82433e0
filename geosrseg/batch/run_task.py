"""Runs one task: turns a line of a work file into a map or a part of one."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from geosrseg.batch.archive import Archive, draft_address, is_store
from geosrseg.batch.open_archive import open_archive
from geosrseg.batch.store_archive import scratch_folder
from geosrseg.batch.work import Task, hash_option_file
from geosrseg.errors import (
    DeviceError,
    DeviceMemoryError,
    GeosrsegError,
    OutputBusyError,
    OutputError,
    WorkError,
)
from geosrseg.mapping.make_map import make_map, make_part
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.model import Model, open_model, request_for
from geosrseg.mapping.prediction import OnProgress
from geosrseg.products.products import PRODUCTS
from geosrseg.raster.storage.location import Location
from geosrseg.runtime.failure import is_out_of_memory
from geosrseg.runtime.model_address import shown_address
from geosrseg.version import __version__

ATTEMPTS = 3
"""Most attempts at a task after temporary failures, of the network or of memory."""

PAUSE = 5.0
"""Seconds before the second attempt; doubled before the third."""

BUSY = 120
"""Most pauses of an attempt while another worker makes the map."""

DONE, KEPT, SKIPPED, FAILED = "done", "kept", "skipped", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """The result of a task.

    Attributes:
        state: ``done``, ``kept`` (a part, whose map waits for others), ``skipped`` (the map
            existed) or ``failed``.
        error: why it failed; empty otherwise.
        windows: number of windows run.
        waits_for: parts still unfinished when this one ended.
        part: number of the part, from 1.
        parts: number of parts of the scene.
        warnings: assumptions made about the scene.
    """

    id: str
    scene: str
    output: str
    state: str
    error: str = ""
    seconds: float = 0.0
    attempts: int = 1
    windows: int = 0
    waits_for: tuple[int, ...] = ()
    part: int = 1
    parts: int = 1
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"waits_for": list(self.waits_for), "warnings": list(self.warnings)}


@lru_cache(maxsize=1)
def _model(model: str, device: str, precision: str, threads: int | None) -> Model:
    """Open the model, once per process."""
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
    """Make the map of a task unless it exists. A failure is returned as a result.

    Args:
        overwrite: replace a map made by another task.
        threads: CPU threads.
        on_progress: see `predict`.
        turn: lock held while the network runs.
        pause: called with seconds to wait; returns True if there is no point in waiting.
    """
    run = _Run(task, overwrite, threads, on_progress, turn or nullcontext(), pause)
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
    """Return the result of a task, without times and counts."""
    scene = str(Location.of(task.scene))  # without a token in the address
    return TaskResult(
        id=task.id, scene=scene, output=task.output, state=state, error=error,
        part=task.part, parts=task.parts,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Run:
    """The attempts at one task; see `run_task`."""

    task: Task
    overwrite: bool
    threads: int | None
    on_progress: OnProgress
    turn: AbstractContextManager[object]
    pause: Callable[[float], object]
    warnings: list[str] = field(default_factory=list)

    def once(self) -> tuple[TaskResult, bool]:
        """Make one attempt; return its result and whether another one may succeed."""
        try:
            return self._make_if_new(), False
        except GeosrsegError as error:
            return result_of(self.task, FAILED, str(error)), self._may_pass(error)
        except Exception as error:  # one bad scene must not stop the others
            text = f"{type(error).__name__}: {error}"
            return result_of(self.task, FAILED, text), is_out_of_memory(error)

    def _may_pass(self, error: GeosrsegError) -> bool:
        """Whether the failure may be temporary: network, memory, or another worker on the map."""
        if isinstance(error, DeviceMemoryError | OutputBusyError):
            return True
        remote = "://" in self.task.scene or is_store(self.task.output)
        return remote and not isinstance(error, WorkError | DeviceError)

    def _make_if_new(self) -> TaskResult:
        task = self.task
        if task.error:
            raise WorkError(f"could not be planned: {task.error}")
        _check_version(task)
        archive = open_archive(task.output)
        mark = archive.mark(task)
        if archive.is_done(task, mark):
            archive.tidy(task)
            return result_of(task, SKIPPED)
        _check_files(task)
        model = _model(task.model, task.device, task.precision, self.threads)
        _check_model(task, model)
        try:
            if not (self.overwrite or archive.is_free(task, mark)):
                raise OutputError(
                    f"{task.output}: exists or is being published, and not by this task: choose "
                    "another folder, or replace it with `overwrite`"
                )
            make = self._make if task.parts == 1 else self._make_part
            return make(model, archive, self.overwrite or mark == task.map_id)
        except OutputError:
            # A faster twin may have finished the map and removed the stored rows.
            if not archive.is_done(task, archive.mark(task)):
                raise
            return result_of(task, SKIPPED)

    def _make(self, model: Model, archive: Archive, may_replace: bool) -> TaskResult:
        """Make the whole map, or wait while another worker does."""
        for _ in range(BUSY):
            try:
                return self._make_now(model, archive, may_replace)
            except OutputBusyError:
                if self.pause(PAUSE):
                    raise
                if archive.is_done(self.task, archive.mark(self.task)):
                    return result_of(self.task, SKIPPED)
        return self._make_now(model, archive, may_replace)

    def _make_now(self, model: Model, archive: Archive, may_replace: bool) -> TaskResult:
        task = self.task
        with _folder(task) as folder:
            done = make_map(
                self._request(folder),
                model.session,
                overwrite=may_replace,
                on_progress=self.on_progress,
                may_halve=False,
                turn=self.turn,
                on_warning=self.warnings.append,
                publishing=archive.publishing(_item(folder, task), task, replace=may_replace),
            )
            return replace(result_of(task, DONE), windows=done.windows)

    def _make_part(self, model: Model, archive: Archive, may_replace: bool) -> TaskResult:
        """Store the rows of a part; if it is the last one, assemble the map."""
        task = self.task
        with _folder(task) as folder:
            kept = make_part(
                self._request(folder),
                model.session,
                (task.part, task.parts),
                overwrite=may_replace,
                on_progress=self.on_progress,
                turn=self.turn,
                on_warning=self.warnings.append,
            )
        if kept.waits_for:
            result = result_of(task, KEPT)
        else:
            result = self._make(model, archive, may_replace)
        return replace(result, windows=kept.windows, waits_for=kept.waits_for)

    def _request(self, folder: Path) -> MapRequest:
        output = folder / f"{self.task.name}.tif"
        products: dict[str, Any] = {
            name: output.with_suffix(PRODUCTS.load(name).suffixes[0]) for name in self.task.products
        }
        options = dict(self.task.options) | products | {"stac": _item(folder, self.task)}
        request = request_for(self.task.scene, output, **options)
        request.check_outputs(overwrite=True)  # checks names only; `make_map` checks existing files
        return request


def _item(folder: Path, task: Task) -> Path:
    return folder / Path(draft_address(task)).name


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


def _folder(task: Task) -> AbstractContextManager[Path]:
    """Open the folder where the map is made: the output folder, or a local one for a store."""
    if not is_store(task.output):
        folder = Path(task.output).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error
        return nullcontext(folder)
    return scratch_folder()
