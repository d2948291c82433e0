"""Levers: additions that may improve end-to-end training over the plain joint loss.

Each lever adds an experiment, and also an LR baseline with the same lever where possible. A lever
that helps both is good for users, but no evidence for end-to-end training.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from geosrseg.errors import RunError

LEVERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # soft labels from the native-image network of the same seed
        "teacher": {"teacher_weight": 1.0},
        # rewards SR images that this network reads like the native image
        "task": {"task_weight": 1.0},
        "warm-up": {"sr_warm_up": 2},
    }
)
"""Recipe values set by each lever."""

OF_SR = ("task", "warm-up")
"""Levers on the SR part, which the LR baseline lacks."""


def of_lr(levers: Sequence[str]) -> tuple[str, ...]:
    """Return the levers that the LR baseline can have too."""
    return tuple(name for name in levers if name not in OF_SR)


def values_of(levers: Sequence[str], *, teacher: bool) -> dict[str, Any]:
    """Return the recipe values that levers set; `teacher`: whether the experiment has one."""
    values: dict[str, Any] = {}
    for name in levers:
        values |= LEVERS[name]
    if teacher and "teacher" not in levers:
        values["teacher_weight"] = 0.0  # the teacher reads the SR image, but gives no labels
    return values


def check_levers(joined: Sequence[str], *, protocols: Sequence[str], in_grid: bool) -> None:
    """Raise RunError for levers that are unknown or have nothing to act on.

    Args:
        joined: levers, or several joined by ``+``.
        in_grid: whether several pairs of loss weights are trained.
    """
    names = [name for each in joined for name in each.split("+")]
    if unknown := [name for name in names if name not in LEVERS]:
        raise RunError(f"lever {unknown[0]!r}: expected some of {', '.join(LEVERS)}")
    if names and in_grid:
        raise RunError("a grid of weights cannot have levers: leave out --levers, or give one pair")
    taught = [name for name in names if name in ("teacher", "task")]
    if taught and "hr" not in protocols:
        raise RunError(f"lever {taught[0]} learns from protocol hr: add it to --protocols")
