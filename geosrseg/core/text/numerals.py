"""Reads finite numbers from unknown sources, or raises ValueError.

Python's own `int` and `float` also accept digits of other scripts, blanks, underscores, ``inf``
and ``nan``, and ``"²".isdigit()`` is true.
"""

import math
import re

MAX_LENGTH = 64
"""Most characters of a number; the longest float that a program writes has about 25."""

LARGEST = 2**53
"""Largest whole number; above it, floats have gaps."""

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def parse_number(text: str, what: str = "the number") -> float:
    """Parse a finite decimal number.

    Raises:
        ValueError: the text is not one.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _DECIMAL.fullmatch(text):
        return finite(float(text), what)
    raise ValueError(f"{what} is a number, got {shown(text)}")


def parse_integer(text: str, what: str = "the number", *, low: int = 0, high: int = LARGEST) -> int:
    """Parse a whole number from `low` to `high`.

    Raises:
        ValueError: the text is not one.
    """
    text = text.strip()
    if len(text) <= MAX_LENGTH and _WHOLE.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    raise ValueError(f"{what} is a whole number from {low} to {high}, got {shown(text)}")


def finite(value: object, what: str = "the number") -> float:
    """Check a number from a parsed JSON or TOML text; return a finite float.

    Raises:
        ValueError: the value is not a number, is ``nan`` or infinite, or exceeds a float.
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
    """Check a whole number from a parsed JSON or TOML text, from `low` to `high`.

    Raises:
        ValueError: the value is not one.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{what} is an integer, got {shown(value)}")
    if not low <= value <= high:
        raise ValueError(f"{what} is {low} to {high}, got {shown(value)}")
    return value


def shown(value: object) -> str:
    """Return at most 80 characters of a value from an unknown source."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # such as an integer too long for Python to print
        text = "what cannot be shown"
    return text if len(text) <= 80 else f"{text[:77]}..."
