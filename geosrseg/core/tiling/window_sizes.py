"""Window sizes: how large the windows of a model are, which plans and devices agree on."""

from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import round_up

EXACT_STRIDE = 4
"""With exact seams a window is at least this many times as large as its halo."""

LARGER = 2
"""Where memory allows, windows are this many times as long as the model says: the halo that
is read twice weighs less. Beyond it little is gained, and a stop loses more."""


def usual_window(spec: ModelSpec) -> int:
    """LR pixels along a side of the windows that are planned where memory allows."""
    return round_up(LARGER * spec.window_size, spec.multiple)


def largest_window(spec: ModelSpec) -> int:
    """LR pixels along a side of the largest windows that are planned unless they are asked for."""
    exact = round_up(EXACT_STRIDE * spec.widest_halo, spec.multiple)
    halos = (spec.halo, spec.widest_halo)
    return max(usual_window(spec), exact, *(smallest_window(spec, halo=h) for h in halos))


def smallest_window(spec: ModelSpec, *, halo: int, ramp: int | None = None) -> int:
    """LR pixels along a side of the smallest windows that still advance with their overlap."""
    ramp = spec.multiple if ramp is None else ramp
    return round_up(2 * halo + ramp, spec.multiple) + spec.multiple
