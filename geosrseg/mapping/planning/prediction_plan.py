"""PredictionPlan: what a prediction would do and cost, found out without doing it."""

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
"""LR pixels of the scene to one that is read to find windows without anything to map."""

COPIES = 1 + 4 / 3 + 4 / 3
"""Most that the disk holds: the rows, and a draft and the COG with their overviews."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionPlan:
    """What a prediction would do and cost.

    Attributes:
        scene: what would be mapped.
        width: of the map, in pixels.
        height: of the same.
        device: what the model would run on.
        precision: in which it would compute.
        window_size: LR pixels along a window's longer side.
        overlap: LR pixels that neighbours share.
        windows: all windows.
        strips: the rows of windows, which `geosrseg.batch` can give to several workers.
        skipped: of them, about so many have nothing to map.
        memory: bytes that would be taken for windows and rows, about.
        disk: most bytes needed, if nothing were compressed.
        seconds: about, from a window that was run; NaN if none is to be run.
        seconds_per_pixel: of an LR pixel of a window; NaN if none is to be run.
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
        """A plain dictionary; what is not a number is null."""
        values = asdict(self)
        for name in ("seconds", "seconds_per_pixel"):
            values[name] = values[name] if math.isfinite(values[name]) else None
        return values


def plan_prediction(
    request: MapRequest, session: Session, *, seconds_per_pixel: float | None = None
) -> PredictionPlan:
    """Say what making a map would do and cost; nothing is written.

    Args:
        request: what would be made.
        seconds_per_pixel: of another plan with the same session; two windows are run to find it
            out where it is None.

    Raises:
        GeosrsegError: as making the map would.
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
            disk=round(COPIES * sum(_layer_bytes(job).values())),
            seconds=run * pixels * rate if run else math.nan,
            seconds_per_pixel=rate,
        )


def _count_mapped(job: MapJob) -> int:
    """Windows of whose support a coarse reading finds something to map."""
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


def _layer_bytes(job: MapJob) -> dict[str, int]:
    """Bytes of every layer, not compressed."""
    profiles = {name: layer.profile() for name, layer in job.layers.items()}
    return {
        layer: len(profile.bands)
        * profile.grid.height
        * profile.grid.width
        * np.dtype(profile.dtype).itemsize
        for layer, profile in profiles.items()
    }


def _memory(job: MapJob) -> int:
    plan, session = job.plan, job.session
    window = plan.rows.window_size * plan.cols.window_size
    rows = sum(_layer_bytes(job).values()) * plan.rows.window_size / job.shown.height
    inputs = 4 * len(session.spec.bands) * plan.rows.window_size * plan.cols.length
    return round(
        session.bytes_per_pixel * window * job.request.options.windows.batch + rows + 2 * inputs
    )


def _seconds_of_a_window(job: MapJob) -> float:
    """The time of the second run of a window: the first one also prepares."""
    with closing(read_strips(job.scene, job.plan, job.session.spec, range(1))) as strips:
        strip = next(strips)
    lr = np.ascontiguousarray(strip.inputs[None, :, :, : job.plan.cols.window_size])
    job.session.run(lr)
    start = time.perf_counter()
    job.session.run(lr)
    return time.perf_counter() - start
