"""Levers: what may make end-to-end training better than the plain joint loss does.

Each is trained beside the plain experiments, and with it the LR baseline wherever that can
have it too: a lever that helps both is good for users and no evidence for end to end.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from geosrseg.errors import RunError

LEVERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # soft labels of the network of native images of the same seed
        "teacher": {"teacher_weight": 1.0},
        # the SR image is good where that network reads it like the native one
        "task": {"task_weight": 1.0},
        "warm-up": {"sr_warm_up": 2},
    }
)
"""By name, the values of a recipe that each one sets."""

OF_SR = ("task", "warm-up")
"""Levers on the SR part, which the LR baseline does not have."""


def of_lr(levers: Sequence[str]) -> tuple[str, ...]:
    """Those that the LR baseline can have too."""
    return tuple(name for name in levers if name not in OF_SR)


def values_of(levers: Sequence[str], *, teacher: bool) -> dict[str, Any]:
    """The values of a recipe that they set together.

    Args:
        levers: their names.
        teacher: the experiment has one.
    """
    values: dict[str, Any] = {}
    for name in levers:
        values |= LEVERS[name]
    if teacher and "teacher" not in levers:
        values["teacher_weight"] = 0.0  # it reads the SR image, and tells no labels
    return values


def check_levers(joined: Sequence[str], *, protocols: Sequence[str], in_grid: bool) -> None:
    """Refuse levers that there are not, or that have nothing to act on.

    Args:
        joined: levers, several of them joined by ``+``.
        protocols: that are trained.
        in_grid: several pairs of the losses' weights are.

    Raises:
        RunError: with what was expected.
    """
    names = [name for each in joined for name in each.split("+")]
    if unknown := [name for name in names if name not in LEVERS]:
        raise RunError(f"lever {unknown[0]!r}: expected some of {', '.join(LEVERS)}")
    if names and in_grid:
        raise RunError("a grid of weights has no levers: leave --levers out, or give one pair")
    taught = [name for name in names if name in ("teacher", "task")]
    if taught and "hr" not in protocols:
        raise RunError(f"lever {taught[0]} learns from protocol hr: add it to --protocols")
