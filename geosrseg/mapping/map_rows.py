"""Map rows: the rows of a scene's map and its further layers, from top to bottom.

A scene is worked through in strips: the rows that one row of windows needs. Three stages
run at once: strips are read and normalized in a thread, their windows are run in another,
and the caller's thread blends them and paints what they finish into rows. Memory holds a
few windows and the rows of a strip, never the map.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.background import in_background
from geosrseg.core.normalize import normalize_bands
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.windows import Window, WindowPlan
from geosrseg.mapping.layers.layer import Layer
from geosrseg.mapping.painter import Painter, Rows, Strip
from geosrseg.mapping.window_runner import WindowResult, WindowRunner
from geosrseg.raster.scene import Scene
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class WindowOutput:
    """What the model says of one window of a strip.

    Attributes:
        strip: the strip.
        core: the part of the source grid that is finished with it.
        result: None for a window that was not run, as nothing in its support is valid.
    """

    strip: Strip
    core: Window
    result: WindowResult | None


def predict_rows(
    scene: Scene,
    session: Session,
    plan: WindowPlan,
    *,
    layers: Mapping[str, Layer],
    shown: Window | None = None,
    batch: int = 1,
    strips: range | None = None,
    may_halve: bool = True,
    merge: NDArray[np.uint8] | None = None,
    on_read: Callable[[], object] = lambda: None,
    on_window: Callable[[bool], None] = lambda _: None,
) -> Generator[Rows]:
    """The rows of a map from top to bottom, as they are finished.

    Args:
        scene: the scene.
        session: the model.
        plan: the windows.
        layers: what to give, by name.
        shown: the part of the scene that the map shows; all of it by default.
        batch: windows that are run at once.
        strips: those that are wanted, one after the other; all by default. Strips above the first
            that reach into it are run besides, so that the rows are those of a whole run.
        may_halve: see `WindowRunner`.
        merge: see `Painter`.
        on_read: called when the first strip is read, before the first window runs.
        on_window: called for each window, with False if none of its pixels was valid.

    Yields:
        For each strip its finished rows, see `painter.Painter.finish`.
    """
    strips = range(len(plan.rows.starts)) if strips is None else strips
    run_from = plan.rows.first_before(strips.start)
    needs_sr = any(layer.needs_sr for layer in layers.values())
    runner = WindowRunner(session, plan.rows, batch=batch, with_sr=needs_sr, may_halve=may_halve)
    painter = Painter(
        scene,
        session.spec,
        plan,
        shown=shown or Window(0, 0, scene.grid.height, scene.grid.width),
        layers=layers,
        first_strip=run_from,
        merge=merge,
    )
    first = threading.Event()
    wanted = range(run_from, strips.stop)
    read = _noting_first(read_strips(scene, plan, session.spec, wanted), first)
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
    """Read and normalize strips of a scene, with its own handle."""
    with scene.reopen() as own:
        for index in strips:
            yield _read_strip(own, plan, spec, index)


def _noting_first(strips: Generator[Strip], first: threading.Event) -> Generator[Strip]:
    """The same strips; `first` is set once there is one, or there will be none."""
    with closing(strips):
        try:
            for strip in strips:
                first.set()
                yield strip
        finally:
            first.set()


def _read_strip(scene: Scene, plan: WindowPlan, spec: ModelSpec, index: int) -> Strip:
    """One strip. Columns in which no window touches the area of interest are not read."""
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
        valid=_padded(valid, whole),
        mapped=_padded(valid & wanted, whole),
    )


def _padded(marked: NDArray[np.bool_], window: Window) -> NDArray[np.bool_]:
    """False in the padding."""
    below, right = window.height - marked.shape[0], window.width - marked.shape[1]
    return np.pad(marked, ((0, below), (0, right)))


def run_windows(
    strips: Iterator[Strip], runner: WindowRunner, plan: WindowPlan
) -> Iterator[WindowOutput]:
    """Run the windows of each strip, those without a valid pixel excepted."""
    cores = dict(plan.cores())
    for strip in strips:
        windows = plan.strip(strip.index)
        wanted = [window for window in windows if _is_wanted(window, strip, plan)]
        results = _run_in_batches(wanted, strip, runner)
        for window in windows:
            result = next(results) if window in wanted else None
            yield WindowOutput(strip, cores[window], result)


def _is_wanted(window: Window, strip: Strip, plan: WindowPlan) -> bool:
    support = plan.support(window)
    top = support.row_off - window.row_off
    return bool(strip.mapped[top : top + support.height, support.cols].any())


def _run_in_batches(
    windows: Sequence[Window], strip: Strip, runner: WindowRunner
) -> Iterator[WindowResult]:
    start = 0
    while start < len(windows):
        group = windows[start : start + runner.batch]
        yield from runner.run([strip.inputs[:, :, window.cols] for window in group])
        start += len(group)
