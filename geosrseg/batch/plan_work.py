"""Plans work: estimates the cost of each scene and pins everything that decides its bytes."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosrseg.batch.archive import archive_folder, is_store
from geosrseg.batch.index_archive import COLLECTION, INDEX
from geosrseg.batch.open_archive import open_archive
from geosrseg.batch.scene_list import SceneName, list_scenes, write_items
from geosrseg.batch.work import SUFFIXES, Task, hash_option_file, write_work
from geosrseg.errors import GeosrsegError, WorkError
from geosrseg.mapping.model import Model, open_model, request_for
from geosrseg.mapping.planning.prediction_plan import PredictionPlan, plan_prediction
from geosrseg.products.products import PRODUCTS
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.publication import check_output
from geosrseg.version import __version__

AT_ONCE = 8
"""Scenes planned in parallel."""

NEW, DONE, REDO, BROKEN = "new", "done", "redo", "broken"


@dataclass(frozen=True, slots=True)
class PlannedScene:
    """The work for one scene.

    Attributes:
        scene: address without secrets.
        state: ``new``; ``done``, the same map exists; ``redo``, a different map exists, which `run`
            replaces only with `overwrite`; ``broken``, the scene cannot be mapped.
        task: the unsplit task; for a broken scene it carries the error.
        parts: number of lines that the scene gets in the work file.
        plan: estimated cost; None for a broken scene.
        error: why the scene cannot be mapped.
    """

    scene: str
    state: str
    task: Task
    plan: PredictionPlan | None
    error: str = ""
    parts: int = 1


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """The work for all scenes.

    Attributes:
        scenes: in the order of the work file, broken ones included.
    """

    scenes: tuple[PlannedScene, ...]

    def count(self, state: str) -> int:
        """Return the number of scenes in a state."""
        return sum(item.state == state for item in self.scenes)

    @property
    def open_plans(self) -> list[PredictionPlan]:
        """Plans of the scenes still to be mapped."""
        return [item.plan for item in self.scenes if item.plan and item.state != DONE]

    @property
    def seconds(self) -> float:
        """Estimated time for all open maps, one after another on a machine like this one."""
        return sum(plan.seconds for plan in self.open_plans if math.isfinite(plan.seconds))

    @property
    def memory(self) -> int:
        """Peak memory of the most demanding scene, in bytes."""
        return max((plan.memory for plan in self.open_plans), default=0)

    @property
    def disk(self) -> int:
        """Most disk space that one scene needs during mapping, in bytes."""
        return max((plan.disk for plan in self.open_plans), default=0)


def plan_work(
    scenes: Sequence[str],
    output_folder: str,
    work: str | Path,
    *,
    model: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    products: Sequence[str] = (),
    split_rows: int = 1,
    overwrite: bool = False,
    on_scene: Callable[[PlannedScene], None] = lambda _: None,
    **options: Any,
) -> WorkPlan:
    """Write a work file: one line per scene, for `run_work` here or on any machine.

    No map is made. Two windows of the first scene are run, to estimate all times.

    Args:
        scenes: names, patterns, lists and STAC search results, see `list_scenes`.
        output_folder: a folder or a prefix of an object store (``s3://``, ``gs://``, ``az://``).
        work: the file to write, ``.jsonl``.
        model: see `open_model`.
        device: see `open_model`; ``auto`` is resolved here and pinned.
        precision: see `open_model`.
        products: product files to make beside each map, by name: ``areas``, ``report``, ...
        split_rows: workers that share one scene, with one line each; at most one per strip of
            windows.
        on_scene: called after each scene is planned.
        options: those of `Model.map`.

    Raises:
        WorkError: no scene is named, or two scenes would have a file in common.
        GeosrsegError: the model, the device or an option is unusable. An unusable scene becomes
            `BROKEN` and does not stop the others.
    """
    work = Path(work)
    check_output(work, suffixes=SUFFIXES, overwrite=overwrite)
    for name in products:
        PRODUCTS.load(name)
        if name == "stac":
            raise WorkError("`products` stac: every map gets a STAC item anyway: leave it out")
    base = archive_folder(output_folder)
    if split_rows > 1 and is_store(output_folder):
        raise WorkError(
            f"{output_folder}: workers that share a scene need a folder that all of them see: plan "
            "into one and upload the maps, or leave out `split_rows`"
        )
    names = list_scenes(scenes, items_folder=work.with_suffix(".items"))
    _check_files(names, _endings(products, options))
    write_items(names)
    with open_model(model, device=device, precision=precision) as opened:
        planner = _Planner(
            opened, str(model or opened.spec.name), base, tuple(products), split_rows, options
        )
        found = []
        with closing(planner.plan_all(names)) as plans:
            for item in plans:
                found.append(item)
                on_scene(item)
    if all(item.state == BROKEN for item in found):
        raise WorkError(f"no scene can be mapped: {found[0].scene}: {found[0].error}")
    write_work(work, [part for item in found for part in item.task.split(item.parts)])
    return WorkPlan(tuple(found))


def _endings(products: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    """Return what the names of a map's files add to that of its scene."""
    output = Path("scene.tif")
    files = {name: output.with_suffix(PRODUCTS.load(name).suffixes[0]) for name in products}
    request = request_for("scene", output, **{**options, **files})
    return [".json", *(path.name.removeprefix("scene") for path in request.files)]


def _check_files(scenes: Sequence[SceneName], endings: Sequence[str]) -> None:
    """Refuse scenes whose maps would have a file in common, or one with the index of the maps."""
    owners = dict.fromkeys((COLLECTION, INDEX), "the index of the maps")
    for scene in scenes:
        for ending in endings:
            file = scene.name + ending
            other = owners.setdefault(file.casefold(), scene.address)
            if other != scene.address:
                raise WorkError(
                    f"{Location.of(other)} and {Location.of(scene.address)} would both write "
                    f"{file}: rename the scene, or plan it into another folder"
                )


class _Planner:
    """Plans scenes; the first one is timed, and the others are estimated from it."""

    def __init__(
        self,
        model: Model,
        name: str,
        base: str,
        products: tuple[str, ...],
        split_rows: int,
        options: dict[str, Any],
    ) -> None:
        self._model = model
        path = Path(name)
        self._name = str(path.absolute()) if path.suffix == ".onnx" else name
        self._base = base
        self._products = products
        self._split_rows = split_rows
        self._options = {key: _absolute(key, value) for key, value in options.items()}
        self._files = {
            key: hash_option_file(self._options[key])
            for key in _FILES
            if _is_file(self._options, key)
        }
        self._archive = open_archive(f"{base}/any.tif")
        self._rate: float | None = None

    def plan_all(self, scenes: Sequence[SceneName]) -> Generator[PlannedScene]:
        """Yield the plans in the order of the scenes.

        After the first scene that can be mapped, several are planned in parallel: plans of remote
        scenes mostly wait for the network.
        """
        waiting = iter(scenes)
        for scene in waiting:
            yield self.plan(scene)
            if self._rate is not None:
                break
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="plan")
        try:
            yield from pool.map(self.plan, waiting)
        finally:
            pool.shutdown(cancel_futures=True)

    def plan(self, scene: SceneName) -> PlannedScene:
        """See `PlannedScene`."""
        shown = str(Location.of(scene.address))
        try:
            request = request_for(scene.address, None, **self._options)
            plan = plan_prediction(request, self._model.session, seconds_per_pixel=self._rate)
            if self._rate is None and math.isfinite(plan.seconds_per_pixel):
                self._rate = plan.seconds_per_pixel
            task = self._task(scene, plan)
            state = self._state(task)
        except GeosrsegError as error:
            why = str(error).removeprefix(f"{shown}: ")
            return PlannedScene(shown, BROKEN, self._task(scene, None, why), None, why)
        return PlannedScene(shown, state, task, plan, parts=min(self._split_rows, plan.strips))

    def _state(self, task: Task) -> str:
        mark = self._archive.mark(task)
        if self._archive.is_done(task, mark):
            return DONE
        return NEW if mark in (None, task.map_id) else REDO

    def _task(self, scene: SceneName, plan: PredictionPlan | None, error: str = "") -> Task:
        session = self._model.session
        pinned: dict[str, Any] = {}
        if plan is not None:
            pinned = {"window_size": plan.window_size, "overlap": plan.overlap}
            if self._options.get("seams") == "exact":
                del pinned["overlap"]
        options = {k: v for k, v in self._options.items() if k != "max_memory"}
        return Task(
            scene=scene.address,
            output=f"{self._base}/{scene.name}.tif",
            options=options | pinned,
            files=self._files,
            products=self._products,
            model=self._name,
            sha256=session.sha256,
            device=session.device,
            precision=session.precision,
            version=__version__,
            windows=plan.windows if plan else 0,
            seconds=round(plan.seconds, 3) if plan and math.isfinite(plan.seconds) else 0.0,
            error=error,
        )


_FILES = ("aoi", "legend")
"""Options whose value may be a file."""


def _absolute(name: str, value: Any) -> Any:
    """Make the path of a file absolute, so that a worker in any folder finds it."""
    if name not in _FILES or not isinstance(value, str | Path):
        return value
    return str(Path(value).absolute()) if _is_file({name: value}, name) else str(value)


def _is_file(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name)
    return isinstance(value, str | Path) and Path(value).is_file()
