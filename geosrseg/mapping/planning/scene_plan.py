"""Plans the windows of a scene: their size, halo and ramp."""

import math
from typing import get_args

from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.window_sizes import EXACT_STRIDE, LARGER, smallest_window
from geosrseg.core.tiling.windows import WindowPlan, plan_windows, round_up
from geosrseg.errors import GeosrsegError, SceneError
from geosrseg.mapping.windowing import Seams, Windowing
from geosrseg.raster.scene import Scene

LONGEST_SIDE = 2**22
"""Most pixels of a map along its longer side; memory grows with the width."""


def plan_scene(
    scene: Scene, spec: ModelSpec, windows: Windowing, *, window_size: int
) -> WindowPlan:
    """Plan the windows of a scene; see `plan_map`.

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
    seams, overlap = windows.seams, windows.overlap
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
    """Plan windows for `height` by `width` LR pixels; for the options see `Windowing`.

    The ramp takes one multiple of the model from the overlap; the rest is halo on either side.
    At equal cost a wide halo leaves fewer seams than a wide ramp.

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
    """Return the side of the largest useful window that fits into memory.

    Args:
        pixels: LR pixels that fit into memory.
        seams: see `Windowing`.
        overlap: see `Windowing`.
        largest: limit of the device in LR pixels along a side; None for no limit.

    Returns:
        LR pixels along each side, at least enough for windows to advance with their overlap.
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
