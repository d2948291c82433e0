"""Writes CSV tables that are safe to open in a spreadsheet.

A spreadsheet runs a cell that starts with ``=``, ``+``, ``-`` or ``@``, and names of classes come
from whoever made the model. An apostrophe before such a text marks it as text; numbers stay as
they are.
"""

import csv
import io
import re
from collections.abc import Iterable

_RUN = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|nan)", re.ASCII | re.IGNORECASE)


def plain_cell(value: object) -> object:
    """Return a value in a form that a spreadsheet shows and does not run."""
    if (
        isinstance(value, str)
        and value.lstrip(" ").startswith(_RUN)
        and not _NUMBER.fullmatch(value)
    ):
        return f"'{value}"
    return value


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """Return a table with commas between cells and a line feed after each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([plain_cell(value) for value in row] for row in rows)
    return text.getvalue()
