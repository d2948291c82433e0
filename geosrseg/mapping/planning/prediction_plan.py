"""PredictionPlan: estimates time, memory and disk space of a prediction without making it."""

import math
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window
from geosrseg.mapping.map_job import MapJob, open_job
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.map_rows import read_strips
from geosrseg.raster.scene import Scene
from geosrseg.runtime.session import Session

COARSE = 8
"""Decimation at which the scene is read to find windows without anything to map."""

COPIES = 1 + 4 / 3 + 4 / 3
"""Most copies of the layers on disk: the rows, and a draft and the COG with their overviews."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionPlan:
    """Estimates for a prediction.

    Attributes:
        width: width of the map in pixels.
        height: height of the map in pixels.
        window_size: LR pixels along a window's longer side.
        overlap: LR pixels that neighbouring windows share.
        windows: number of windows.
        strips: number of rows of windows, which `geosrseg.batch` can distribute to workers.
        skipped: approximate number of windows without anything to map.
        memory: approximate bytes for windows and rows.
        disk: most bytes on disk, if nothing were compressed.
        seconds: approximate duration, from a window that was run; NaN if no window would run.
        seconds_per_pixel: duration per LR pixel of a window; NaN if no window would run.
    """

    scene: str
    width: int
    height: int
    device: str
    precision: str
    window_size: int
    overlap: int
    windows: int
    strips: int
    skipped: int
    memory: int
    disk: int
    seconds: float
    seconds_per_pixel: float

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary, with None for NaN."""
        values = asdict(self)
        for name in ("seconds", "seconds_per_pixel"):
            values[name] = values[name] if math.isfinite(values[name]) else None
        return values


def plan_prediction(
    request: MapRequest, session: Session, *, seconds_per_pixel: float | None = None
) -> PredictionPlan:
    """Estimate what making a map would cost; nothing is written.

    Args:
        seconds_per_pixel: the value of another plan with the same session; if None, two windows
            are run to measure it.

    Raises:
        GeosrsegError: making the map would fail.
    """
    with open_job(request, session) as job:
        plan, spec = job.plan, session.spec
        target = job.mapped.grid.refined(spec.upscale_factor)
        skipped = len(plan) - _count_mapped(job)
        run = len(plan) - skipped
        pixels = plan.rows.window_size * plan.cols.window_size
        rate = seconds_per_pixel
        if rate is None:
            rate = _seconds_of_a_window(job) / pixels if run else math.nan
        return PredictionPlan(
            scene=str(job.scene.location),
            width=target.width,
            height=target.height,
            device=session.device,
            precision=session.precision,
            window_size=max(plan.rows.window_size, plan.cols.window_size),
            overlap=2 * plan.rows.halo + plan.rows.ramp,
            windows=len(plan),
            strips=len(plan.rows.starts),
            skipped=skipped,
            memory=_memory(job),
            disk=round(COPIES * job.raw_bytes),
            seconds=run * pixels * rate if run else math.nan,
            seconds_per_pixel=rate,
        )


def _count_mapped(job: MapJob) -> int:
    """Count the windows with something to map in their support, from a coarse reading."""
    mapped = _coarsely_mapped(job.scene)

    def near(window: Window) -> NDArray[np.bool_]:
        rows, cols = (
            slice(part.start // COARSE, part.stop // COARSE + 1)
            for part in (window.rows, window.cols)
        )
        return mapped[rows, cols]

    return sum(bool(near(job.plan.support(window)).any()) for window in job.plan)


def _coarsely_mapped(scene: Scene) -> NDArray[np.bool_]:
    height, width = scene.grid.height, scene.grid.width
    size = (-(-height // COARSE), -(-width // COARSE))
    _, valid = scene.read_decimated(*size)
    for row in range(size[0]):
        rows = min(COARSE, height - row * COARSE)
        strip = scene.reached(Window(row * COARSE, 0, rows, width))
        valid[row] &= np.add.reduceat(strip.any(axis=0), range(0, width, COARSE)) > 0
    return valid


def _memory(job: MapJob) -> int:
    plan, session = job.plan, job.session
    window = plan.rows.window_size * plan.cols.window_size
    rows = job.raw_bytes * plan.rows.window_size / job.shown.height
    inputs = 4 * len(session.spec.bands) * plan.rows.window_size * plan.cols.length
    return round(
        session.bytes_per_pixel * window * job.request.options.windows.batch + rows + 2 * inputs
    )


def _seconds_of_a_window(job: MapJob) -> float:
    """Time the second run of a window; the first includes preparation."""
    with closing(read_strips(job.scene, job.plan, job.session.spec, range(1))) as strips:
        strip = next(strips)
    lr = np.ascontiguousarray(strip.inputs[None, :, :, : job.plan.cols.window_size])
    job.session.run(lr)
    start = time.perf_counter()
    job.session.run(lr)
    return time.perf_counter() - start
