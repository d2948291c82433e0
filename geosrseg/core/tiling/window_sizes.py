"""Sizes of a model's windows, shared by plans and devices."""

from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import round_up

EXACT_STRIDE = 4
"""With exact seams a window is by default at least this many times as long as its halo."""

LARGER = 2
"""If memory allows, windows are this many times as long as the ModelSpec's window size, so that
the halo is a smaller share. Larger windows gain little, and an interruption loses more."""


def usual_window(spec: ModelSpec) -> int:
    """Return the side in LR pixels of the windows that are planned if memory allows."""
    return round_up(LARGER * spec.window_size, spec.multiple)


def largest_window(spec: ModelSpec) -> int:
    """Return the side in LR pixels of the largest windows that are planned by default."""
    exact = round_up(EXACT_STRIDE * spec.widest_halo, spec.multiple)
    halos = (spec.halo, spec.widest_halo)
    return max(usual_window(spec), exact, *(smallest_window(spec, halo=h) for h in halos))


def smallest_window(spec: ModelSpec, *, halo: int, ramp: int | None = None) -> int:
    """Return the side in LR pixels of the smallest windows that advance with their overlap."""
    ramp = spec.multiple if ramp is None else ramp
    return round_up(2 * halo + ramp, spec.multiple) + spec.multiple
