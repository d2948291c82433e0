"""Computes the rows of a map and its layers, from top to bottom.

A scene is processed in strips: the rows that one row of windows needs. Three stages run at
once: one thread reads and normalizes strips, another runs their windows, and the caller's
thread blends them and paints the finished rows. Memory holds a few windows and the rows of a
strip, never the whole map.
"""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from geosrseg.core.background import in_background
from geosrseg.core.normalize import normalize_bands
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.windows import Window, WindowPlan
from geosrseg.mapping.map_job import MapJob
from geosrseg.mapping.painter import Painter, Rows, Strip
from geosrseg.mapping.window_runner import WindowResult, WindowRunner
from geosrseg.raster.scene import Scene


@dataclass(frozen=True, slots=True, eq=False)
class WindowOutput:
    """The model's output for one window of a strip.

    Attributes:
        core: the part of the source grid that this window finishes.
        result: None for a window that was not run because no pixel of its support is valid.
    """

    strip: Strip
    core: Window
    result: WindowResult | None


def predict_rows(
    job: MapJob,
    *,
    strips: range | None = None,
    may_halve: bool = True,
    on_read: Callable[[], object] = lambda: None,
    on_window: Callable[[bool], None] = lambda _: None,
) -> Generator[Rows]:
    """Run the windows of a map, and yield its rows from top to bottom.

    Args:
        strips: the strips to make; all by default. Strips above that reach into the first one are
            run too, so that the rows equal those of a whole run.
        may_halve: see `WindowRunner`.
        on_read: called when the first strip is read, before the first window runs.
        on_window: called for each window, with False if none of its pixels was valid.

    Yields:
        The finished rows of each strip, see `painter.Painter.finish`.
    """
    plan, session = job.plan, job.session
    strips = range(len(plan.rows.starts)) if strips is None else strips
    run_from = plan.rows.first_before(strips.start)
    runner = WindowRunner(
        session,
        plan.rows,
        batch=job.request.options.windows.batch,
        with_sr=job.needs_sr,
        may_halve=may_halve,
    )
    painter = Painter(job, first_strip=run_from)
    first = threading.Event()
    wanted = range(run_from, strips.stop)
    read = _noting_first(read_strips(job.scene, plan, session.spec, wanted), first)
    with (
        in_background(read, ahead=1, name="read") as inputs,
        in_background(
            run_windows(inputs, runner, plan), ahead=2, name="run", interrupt=session.cancel
        ) as outputs,
    ):
        first.wait()
        on_read()
        for strip, group in groupby(outputs, key=attrgetter("strip")):
            canvas = painter.canvas(strip.index)
            for output in group:
                painter.paint(canvas, output.result, core=output.core)
                on_window(output.result is not None)
            if strip.index in strips:
                yield painter.finish(canvas, strip)


def read_strips(scene: Scene, plan: WindowPlan, spec: ModelSpec, strips: range) -> Generator[Strip]:
    """Read and normalize strips of a scene, through a handle of this generator."""
    with scene.reopen() as own:
        for index in strips:
            yield _read_strip(own, plan, spec, index)


def _noting_first(strips: Generator[Strip], first: threading.Event) -> Generator[Strip]:
    """Yield the same strips; set `first` after the first one, or if there is none."""
    with closing(strips):
        try:
            for strip in strips:
                first.set()
                yield strip
        finally:
            first.set()


def _read_strip(scene: Scene, plan: WindowPlan, spec: ModelSpec, index: int) -> Strip:
    """Read one strip, without columns whose windows do not touch the area of interest."""
    row_off = plan.rows.starts[index]
    whole = Window(row_off, 0, plan.rows.window_size, plan.cols.length)
    inside = whole.clipped(scene.grid.height, scene.grid.width)
    wanted = scene.reached(inside)
    inputs = np.zeros((len(spec.bands), inside.height, inside.width), np.float32)
    valid = np.zeros((inside.height, inside.width), np.bool_)
    if touching := [window for window in plan.strip(index) if wanted[:, window.cols].any()]:
        first, stop = touching[0].col_off, min(touching[-1].col_stop, inside.width)
        part = Window(row_off, first, inside.height, stop - first)
        numbers, valid[:, part.cols] = scene.read(part)
        inputs[:, :, part.cols] = normalize_bands(
            numbers,
            valid[:, part.cols],
            radiometry=scene.radiometry,
            normalization=spec.normalization,
        )
    return Strip(
        index=index,
        inputs=pad_to_window(inputs, whole),
        valid=pad_to_window(valid, whole, mode="constant"),
        mapped=pad_to_window(valid & wanted, whole, mode="constant"),
    )


def run_windows(
    strips: Iterator[Strip], runner: WindowRunner, plan: WindowPlan
) -> Iterator[WindowOutput]:
    """Run the windows of each strip, except those without a valid pixel in their support."""
    cores = dict(plan.cores())
    for strip in strips:
        windows = plan.strip(strip.index)
        wanted = [window for window in windows if _is_wanted(window, strip, plan)]
        results = runner.run([strip.inputs[:, :, window.cols] for window in wanted])
        for window in windows:
            result = next(results) if window in wanted else None
            yield WindowOutput(strip, cores[window], result)


def _is_wanted(window: Window, strip: Strip, plan: WindowPlan) -> bool:
    support = plan.support(window)
    top = support.row_off - window.row_off
    return bool(strip.mapped[top : top + support.height, support.cols].any())
