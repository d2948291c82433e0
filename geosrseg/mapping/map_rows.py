"""Map rows: the rows of a scene's map and its further layers, from top to bottom.

A scene is worked through in bands: the rows that one row of windows needs. Three stages
run at once: bands are read and normalized in a thread, their windows are run in another,
and the caller's thread blends them and paints what they finish into rows. Memory holds a
few windows and the rows of a band, never the map.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.background import in_background
from geosrseg.core.normalize import normalize_bands
from geosrseg.core.padding import pad_to_window
from geosrseg.core.spec import ModelSpec
from geosrseg.core.sr_encoding import SrEncoding
from geosrseg.core.windows import Window, WindowPlan
from geosrseg.mapping.painter import Band, Painter, Rows
from geosrseg.mapping.window_runner import WindowResult, WindowRunner
from geosrseg.raster.maps.layers import CLASSES, SR
from geosrseg.raster.scene import Scene
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What the model says of one window of a band.

    Attributes:
        band: the band.
        core: the part of the source grid that is finished with it.
        result: None for a window that was not run, as nothing in its support is valid.
    """

    band: Band
    core: Window
    result: WindowResult | None


def predict_rows(
    scene: Scene,
    session: Session,
    plan: WindowPlan,
    *,
    layers: Sequence[str] = (CLASSES,),
    batch: int = 1,
    first_band: int = 0,
    on_window: Callable[[bool], None] = lambda _: None,
) -> Generator[Rows]:
    """The rows of a map from top to bottom, as they are finished.

    Args:
        scene: the scene.
        session: the model.
        plan: the windows.
        layers: what to give, of `raster.maps.layers.LAYERS`.
        batch: windows that are run at once.
        first_band: the band to begin with. Bands above it that reach into it are run again.
        on_window: called for each window, with False if none of its pixels was valid.

    Yields:
        For each band its finished rows, see `painter.Painter.finish`.
    """
    run_from = plan.rows.first_before(first_band)
    runner = WindowRunner(session, plan.rows, batch=batch, with_sr=SR in layers)
    painter = Painter(
        scene,
        session.spec,
        plan,
        layers=layers,
        encoding=sr_encoding(scene, session.spec) if SR in layers else None,
        first_band=run_from,
    )
    read = read_bands(scene, plan, session.spec, first_band=run_from)
    with (
        in_background(read, ahead=1, name="read") as bands,
        in_background(
            run_windows(bands, runner, plan), ahead=2, name="run", interrupt=session.cancel
        ) as findings,
    ):
        for band, group in groupby(findings, key=attrgetter("band")):
            canvas = painter.canvas(band.index)
            for finding in group:
                painter.paint(canvas, finding.result, core=finding.core)
                on_window(finding.result is not None)
            if band.index >= first_band:
                yield painter.finish(canvas, band)


def sr_encoding(scene: Scene, spec: ModelSpec) -> SrEncoding:
    """How an SR image of a scene is written: as the scene itself is."""
    numbers, _ = scene.read(Window(0, 0, 1, 1))
    return SrEncoding(numbers.dtype.name, scene.radiometry, spec.normalization)


def read_bands(
    scene: Scene, plan: WindowPlan, spec: ModelSpec, *, first_band: int = 0
) -> Generator[Band]:
    """Read and normalize the bands of a scene, with a handle of its own."""
    with scene.reopen() as own:
        for index in range(first_band, len(plan.rows.starts)):
            yield _read_band(own, plan, spec, index)


def _read_band(scene: Scene, plan: WindowPlan, spec: ModelSpec, index: int) -> Band:
    """One band. Columns in which no window touches the area of interest are not read."""
    row_off = plan.rows.starts[index]
    whole = Window(row_off, 0, plan.rows.window_size, plan.cols.length)
    inside = whole.clipped(scene.grid.height, scene.grid.width)
    wanted = scene.wanted(inside)
    inputs = np.zeros((len(spec.bands), inside.height, inside.width), np.float32)
    valid = np.zeros((inside.height, inside.width), np.bool_)
    if touching := [window for window in plan.band(index) if wanted[:, window.cols].any()]:
        first, stop = touching[0].col_off, min(touching[-1].col_stop, inside.width)
        part = Window(row_off, first, inside.height, stop - first)
        numbers, valid[:, part.cols] = scene.read(part)
        inputs[:, :, part.cols] = normalize_bands(
            numbers,
            valid[:, part.cols],
            radiometry=scene.radiometry,
            normalization=spec.normalization,
        )
    return Band(
        index=index,
        inputs=pad_to_window(inputs, whole),
        valid=_padded(valid, whole),
        mapped=_padded(valid & wanted, whole),
    )


def _padded(marked: NDArray[np.bool_], window: Window) -> NDArray[np.bool_]:
    """False in the padding."""
    below, right = window.height - marked.shape[0], window.width - marked.shape[1]
    return np.pad(marked, ((0, below), (0, right)))


def run_windows(bands: Iterator[Band], runner: WindowRunner, plan: WindowPlan) -> Iterator[Finding]:
    """Run the windows of each band, those without a valid pixel excepted."""
    cores = dict(plan.cores())
    for band in bands:
        windows = plan.band(band.index)
        wanted = [window for window in windows if _is_wanted(window, band, plan)]
        results = _run_in_batches(wanted, band, runner)
        for window in windows:
            result = next(results) if window in wanted else None
            yield Finding(band, cores[window], result)


def _is_wanted(window: Window, band: Band, plan: WindowPlan) -> bool:
    support = plan.support(window)
    top = support.row_off - window.row_off
    return bool(band.mapped[top : top + support.height, support.cols].any())


def _run_in_batches(
    windows: Sequence[Window], band: Band, runner: WindowRunner
) -> Iterator[WindowResult]:
    start = 0
    while start < len(windows):
        group = windows[start : start + runner.batch]
        yield from runner.run([band.inputs[:, :, window.cols] for window in group])
        start += len(group)
