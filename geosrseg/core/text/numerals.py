"""Numerals that somebody else wrote: read as a finite number, or refused with a ValueError.

Python's own `int` and `float` also take digits of other scripts, blanks, underscores, ``inf`` and
``nan``, and say of ``"²"`` that it is a digit.
"""

import math
import re

MAX_LENGTH = 64
"""Characters; the longest float that a program writes has about 25."""

LARGEST = 2**53
"""Of whole numbers: beyond it, a float does not hold every one."""

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def parse_number(text: str, what: str = "the number") -> float:
    """A decimal number, finite.

    Raises:
        ValueError: the text is none.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _DECIMAL.fullmatch(text):
        return finite(float(text), what)
    raise ValueError(f"{what} is a number, got {shown(text)}")


def parse_integer(text: str, what: str = "the number", *, low: int = 0, high: int = LARGEST) -> int:
    """A whole number from `low` to `high`.

    Raises:
        ValueError: the text is none.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _WHOLE.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    raise ValueError(f"{what} is a whole number from {low} to {high}, got {shown(text)}")


def finite(value: object, what: str = "the number") -> float:
    """A number of a parsed JSON or TOML text, as a finite float.

    Raises:
        ValueError: it is no number, ``nan``, infinite or larger than a float holds.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} is a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError(f"{what} is a number that is far too large") from error
    if not math.isfinite(number):
        raise ValueError(f"{what} is a finite number, got {number}")
    return number


def whole(
    value: object, what: str = "the number", *, low: int = -LARGEST, high: int = LARGEST
) -> int:
    """A whole number of a parsed JSON or TOML text, from `low` to `high`.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{what} is an integer, got {shown(value)}")
    if not low <= value <= high:
        raise ValueError(f"{what} is {low} to {high}, got {shown(value)}")
    return value


def shown(value: object) -> str:
    """At most a line of a value that may come from anywhere."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python writes
        text = "what cannot be shown"
    return text if len(text) <= 80 else f"{text[:77]}..."
