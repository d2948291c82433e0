"""Compares window choices: how much tiling changes a map, and what it costs to reduce that.

A part of a scene is run in one window, and then in windows of several sizes, halos and ramps.
A seam is where the labels differ.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.bench.seam_counts import BIN, SeamCounts, count_seams
from geosrseg.core.labels import best_class
from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import normalize_bands
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.blending import WindowBlender
from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.window_sizes import EXACT_STRIDE
from geosrseg.core.tiling.windows import Window, WindowPlan, plan_windows, round_up
from geosrseg.core.timing import Timing
from geosrseg.errors import DeviceMemoryError, GeosrsegError
from geosrseg.raster.scene import open_scene
from geosrseg.raster.synthetic_scene import write_synthetic_scene
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL

SIZE = (512, 512)
"""LR rows and columns compared."""

REPEATS = 5
"""Runs of each choice, in turn; the medians are printed."""

LANDSAT = 7700
"""Side of a whole Landsat scene in LR pixels."""


@dataclass(frozen=True, slots=True)
class SeamChoice:
    """How a scene is cut into windows, in LR pixels.

    Attributes:
        window_size: size of the largest window.
        halo: width of the border that is discarded.
        ramp: width of the blended zone inside the halo.
    """

    window_size: int
    halo: int
    ramp: int

    def plan(self, height: int, width: int, multiple: int) -> WindowPlan:
        """Plan the windows of an image in LR pixels.

        Raises:
            ValueError: halo and ramp leave no room for the windows to advance.
        """
        return plan_windows(
            height,
            width,
            window_size=self.window_size,
            halo=self.halo,
            ramp=self.ramp,
            multiple=multiple,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SeamResult:
    """The result of one choice.

    Attributes:
        work: LR pixels run per LR pixel of a whole Landsat scene.
        timing: time to run and blend.
    """

    choice: SeamChoice
    work: float
    counts: SeamCounts
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeamComparison:
    """The results of all choices.

    Attributes:
        model: name and version.
        scene: name of the file; empty for a synthetic scene.
        size: LR rows and columns compared.
        hr_pixels: HR pixels compared.
        whole: time of the single window.
    """

    model: str
    classes: tuple[str, ...]
    scene: str
    size: tuple[int, int]
    hr_pixels: int
    device: str
    precision: str
    whole: Timing
    results: tuple[SeamResult, ...]

    def to_json(self) -> dict[str, Any]:
        """Return all results and derived figures as plain values."""
        return {
            "model": self.model,
            "classes": list(self.classes),
            "scene": self.scene,
            "size": list(self.size),
            "device": self.device,
            "precision": self.precision,
            "untiled_hr_pixels_per_second": self.whole.rates(self.hr_pixels),
            "bin_lr_pixels": BIN,
            "results": [self._result_json(result) for result in self.results],
        }

    def _result_json(self, result: SeamResult) -> dict[str, Any]:
        counts = result.counts
        return {
            **asdict(result.choice),
            "work": result.work,
            "hr_pixels_per_second": result.timing.rates(self.hr_pixels),
            "share_changed": counts.share_changed,
            "pixels_by_distance": counts.pixels.tolist(),
            "changed_by_distance": counts.changed.tolist(),
            "confusion": counts.confusion.counts.tolist(),
        }


def compare_seams(
    model: str | Path = DEFAULT_MODEL,
    *,
    scene: str | Path | None = None,
    size: tuple[int, int] = SIZE,
    choices: Sequence[SeamChoice] | None = None,
    device: str = "auto",
    precision: str = "fp32",
    repeats: int = REPEATS,
    on_step: Callable[[str], None] = lambda _: None,
) -> SeamComparison:
    """Compare tiled maps with the map of one window.

    Args:
        model: a shipped model's name or a model file.
        scene: see `predict`; a synthetic scene by default.
        size: most LR rows and columns, taken from the middle of the scene. One window of that
            size must fit into memory.
        choices: `default_choices` by default.
        device: see `predict`.
        precision: see `predict`. In fp32 no label differs by rounding.
        repeats: runs of each choice, in turn.
        on_step: called with a few words before each step.

    Raises:
        DeviceMemoryError: one window of all pixels might not fit into memory.
        GeosrsegError: windows do not advance; see also `predict`.
    """
    with open_session(model, device=device, precision=precision) as session:
        spec = session.spec
        lr, valid = read_middle(scene, spec, size)
        rows, cols = valid.shape
        _check_memory(session, rows, cols)
        chosen = default_choices(spec) if choices is None else tuple(choices)
        everything = SeamChoice(max(rows, cols) + spec.multiple, 0, 0)
        plans = [_plan(choice, rows, cols, spec) for choice in (everything, *chosen)]
        labels, timings = _run_in_turn(session, lr, plans, repeats=repeats, on_step=on_step)
        whole = _marked(labels[0], valid, spec.upscale_factor)
        results = (
            SeamResult(choice, _work(choice, spec), _count(whole, tiled, plan, spec), timing)
            for choice, plan, tiled, timing in zip(
                chosen, plans[1:], labels[1:], timings[1:], strict=True
            )
        )
        return SeamComparison(
            model=f"{spec.name} {spec.version}",
            classes=spec.legend.names,
            scene="" if scene is None else Path(scene).name,
            size=(rows, cols),
            hr_pixels=rows * cols * spec.upscale_factor**2,
            device=session.device,
            precision=session.precision,
            whole=timings[0],
            results=tuple(results),
        )


def default_choices(spec: ModelSpec) -> tuple[SeamChoice, ...]:
    """Return choices without overlap, with several halos and ramps, and with larger windows."""
    size, step, halo = spec.window_size, spec.multiple, spec.halo
    choices = [
        SeamChoice(size, 0, 0),
        *(SeamChoice(size, step * count, step) for count in range(5)),
        SeamChoice(size, halo, 0),
        SeamChoice(size, halo, 2 * step),
        SeamChoice(round_up(3 * size // 2, step), halo, step),
    ]
    if spec.exact_halo is not None:
        least = round_up(EXACT_STRIDE * spec.exact_halo, step)
        choices.append(SeamChoice(max(size, least), spec.exact_halo, 0))
    advancing = (c for c in choices if 2 * c.halo + c.ramp + 2 * step <= c.window_size)
    return tuple(dict.fromkeys(advancing))


def read_middle(
    scene: str | Path | None, spec: ModelSpec, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read the middle of a scene; None for a synthetic one.

    Returns:
        (bands, rows, cols) model input, and (rows, cols) its valid pixels.
    """
    if scene is None:
        with tempfile.TemporaryDirectory(prefix="geosrseg-") as folder:
            path = Path(folder) / "scene.tif"
            write_synthetic_scene(
                path,
                height=size[0],
                width=size[1],
                bands=spec.bands,
                normalization=spec.normalization,
            )
            return read_middle(path, spec, size)
    with open_scene(scene, model_bands=spec.bands) as source:
        height, width = source.grid.height, source.grid.width
        rows, cols = min(size[0], height), min(size[1], width)
        numbers, valid = source.read(Window((height - rows) // 2, (width - cols) // 2, rows, cols))
        return normalize_bands(
            numbers, valid, radiometry=source.radiometry, normalization=spec.normalization
        ), valid


def run_windows(lr: NDArray[np.float32], session: Session, plan: WindowPlan) -> NDArray[np.uint8]:
    """Map an array in memory.

    Args:
        lr: (bands, rows, cols) model input of the plan's size.

    Returns:
        (s·rows, s·cols) class indices.
    """
    factor = session.spec.upscale_factor
    blender = WindowBlender(plan, factor=factor, channels=len(session.spec.legend))
    labels = np.empty((plan.rows.length * factor, plan.cols.length * factor), np.uint8)
    for window, core in plan.cores():
        probabilities = session.run(lr[None, :, window.rows, window.cols])
        finished, own = blender.add(probabilities[0]), core.scaled(factor)
        if finished is not None:
            labels[own.rows, own.cols], _ = best_class(finished)
    return labels


def _check_memory(session: Session, rows: int, cols: int) -> None:
    """Refuse a single window so large that the system might kill the process."""
    wanted, free = session.bytes_per_pixel * rows * cols, available_memory()
    if wanted > free:
        raise DeviceMemoryError(
            f"one window of {rows} x {cols} LR pixels may take {wanted / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free: compare fewer pixels, by --size"
        )


def _plan(choice: SeamChoice, rows: int, cols: int, spec: ModelSpec) -> WindowPlan:
    try:
        return choice.plan(rows, cols, spec.multiple)
    except ValueError as error:
        raise GeosrsegError(f"{choice} cannot be used: {error}") from error


def _run_in_turn(
    session: Session,
    lr: NDArray[np.float32],
    plans: Sequence[WindowPlan],
    *,
    repeats: int,
    on_step: Callable[[str], None],
) -> tuple[list[NDArray[np.uint8]], list[Timing]]:
    """Return the labels and times of each plan."""
    plan = plans[0]
    padded = pad_to_window(lr, Window(0, 0, plan.rows.length, plan.cols.length))
    labels: list[NDArray[np.uint8]] = []
    seconds: list[list[float]] = [[] for _ in plans]
    for turn in range(1, repeats + 1):
        labels = []
        for number, plan in enumerate(plans):
            on_step(f"windows {number + 1} of {len(plans)}, run {turn} of {repeats}")
            start = time.perf_counter()
            labels.append(run_windows(padded, session, plan))
            seconds[number].append(time.perf_counter() - start)
    return labels, [Timing(tuple(taken)) for taken in seconds]


def _marked(labels: NDArray[np.uint8], valid: NDArray[np.bool_], factor: int) -> NDArray[np.uint8]:
    """Set labels to NODATA where the scene is invalid or padded."""
    usable = np.zeros(labels.shape, np.bool_)
    rows, cols = valid.shape
    usable[: rows * factor, : cols * factor] = valid.repeat(factor, 0).repeat(factor, 1)
    return np.where(usable, labels, np.uint8(NODATA))


def _count(
    whole: NDArray[np.uint8], tiled: NDArray[np.uint8], plan: WindowPlan, spec: ModelSpec
) -> SeamCounts:
    return count_seams(whole, tiled, plan, factor=spec.upscale_factor, classes=len(spec.legend))


def _work(choice: SeamChoice, spec: ModelSpec) -> float:
    plan = _plan(choice, LANDSAT, LANDSAT, spec)
    return len(plan) * plan.rows.window_size * plan.cols.window_size / LANDSAT**2
