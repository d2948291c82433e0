"""Sizes in bytes, as users write them, and times, as messages show them."""

import math
import re
from decimal import Decimal

import click

MOST = 2**60
"""Larger sizes are all alike, and no machine's."""

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Bytes(click.ParamType[int]):
    """A size such as 800M or 2.5G, in bytes."""

    name = "size"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = re.fullmatch(
            r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE
        )
        if found is None:
            self.fail(f"{value!r} is not a size: expected one such as 800M or 2.5G", param, ctx)
        return min(int(Decimal(found[1]) * UNITS[found[2].upper()]), MOST)


def duration(seconds: float) -> str:
    """A time in at most two units, such as ``2 h 5 min``."""
    if not math.isfinite(seconds):
        return "an unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{seconds:.1f} s" if seconds < 10 else f"{rest} s"
