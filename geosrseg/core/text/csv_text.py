"""CSV text: tables of names and numbers, in which a spreadsheet finds no formula.

A spreadsheet runs a cell that starts with ``=``, ``+``, ``-`` or ``@`` when a table is opened, and
names of classes come from whoever made the model. Such a text gets an apostrophe before it, which
spreadsheets take for "this is text"; numbers are left as they are.
"""

import csv
import io
import re
from collections.abc import Iterable

_RUN = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|nan)", re.ASCII | re.IGNORECASE)


def plain_cell(value: object) -> object:
    """A value as a spreadsheet shows it and does not run it."""
    if (
        isinstance(value, str)
        and value.lstrip(" ").startswith(_RUN)
        and not _NUMBER.fullmatch(value)
    ):
        return f"'{value}"
    return value


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """A table: a comma between cells, a line feed at the end of each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([plain_cell(value) for value in row] for row in rows)
    return text.getvalue()
