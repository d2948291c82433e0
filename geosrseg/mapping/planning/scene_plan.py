"""Scene plan: which windows a scene is cut into, and why."""

import math
from typing import get_args

from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.window_sizes import EXACT_STRIDE, LARGER, smallest_window
from geosrseg.core.tiling.windows import WindowPlan, plan_windows, round_up
from geosrseg.errors import GeosrsegError, SceneError
from geosrseg.mapping.windowing import Seams
from geosrseg.raster.scene import Scene

LONGEST_SIDE = 2**22
"""Pixels of a map along its longer side; memory grows with its width."""


def plan_scene(
    scene: Scene,
    spec: ModelSpec,
    *,
    seams: Seams = "blend",
    overlap: int | None = None,
    window_size: int | None = None,
) -> WindowPlan:
    """The windows of a scene; see `plan_map`.

    Raises:
        GeosrsegError: the scene is too long, or the windows too small for their overlap.
    """
    height, width = scene.grid.height, scene.grid.width
    longest = max(scene.extent.height, scene.extent.width) * spec.upscale_factor
    if longest > LONGEST_SIDE:
        raise SceneError(
            f"{scene.location}: the map would be {longest} pixels long, expected at most "
            f"{LONGEST_SIDE}: cut the scene into parts"
        )
    return plan_map(height, width, spec, seams=seams, overlap=overlap, window_size=window_size)


def plan_map(
    height: int,
    width: int,
    spec: ModelSpec,
    *,
    seams: Seams = "blend",
    overlap: int | None = None,
    window_size: int | None = None,
) -> WindowPlan:
    """The windows of so many LR pixels, see `predict` for the other arguments.

    Of the overlap the ramp takes one multiple of the model, the rest is halo on either side:
    at equal cost a wide halo leaves fewer seams than a wide ramp.

    Raises:
        GeosrsegError: the windows are too small for their overlap.
    """
    if seams not in get_args(Seams):
        raise GeosrsegError(f"seams {seams!r}: expected one of {', '.join(get_args(Seams))}")
    if seams == "exact" and overlap is not None:
        raise GeosrsegError("exact seams need the overlap that the model says: leave `overlap` out")
    halo, ramp = _halo_and_ramp(spec, seams, overlap)
    default = EXACT_STRIDE * halo if seams == "exact" else 0
    default = max(spec.window_size, round_up(default, spec.multiple))
    try:
        return plan_windows(
            height,
            width,
            window_size=default if window_size is None else window_size,
            halo=halo,
            ramp=ramp,
            multiple=spec.multiple,
        )
    except ValueError as error:
        raise GeosrsegError(f"`window_size` or `overlap` is unusable: {error}") from error


def fitting_window_size(
    spec: ModelSpec,
    *,
    pixels: float,
    seams: Seams = "blend",
    overlap: int | None = None,
    largest: int | None = None,
) -> int:
    """The largest windows of which one fits into memory, and that are not too large.

    Args:
        pixels: LR pixels for which there is memory.
        seams: see `predict`.
        overlap: of two windows.
        largest: LR pixels along a side that the device takes; None for any number.

    Returns:
        LR pixels along each side; never so few that windows do not advance.
    """
    halo, ramp = _halo_and_ramp(spec, seams, overlap)
    smallest = smallest_window(spec, halo=halo, ramp=ramp)
    fitting = math.isqrt(int(pixels)) // spec.multiple * spec.multiple
    fitting = min(fitting, LARGER * spec.window_size, fitting if largest is None else largest)
    return max(fitting, smallest)


def _halo_and_ramp(spec: ModelSpec, seams: Seams, overlap: int | None) -> tuple[int, int]:
    if seams == "exact":
        return _exact_halo(spec), 0
    ramp = spec.multiple if overlap is None else min(spec.multiple, overlap)
    return (spec.halo if overlap is None else (overlap - ramp) // 2), ramp


def _exact_halo(spec: ModelSpec) -> int:
    if spec.exact_halo is None:
        raise GeosrsegError(
            f"exact seams: {spec.name} looks at its whole window, so no overlap makes seams "
            "exact, use `seams=blend`"
        )
    return spec.exact_halo
