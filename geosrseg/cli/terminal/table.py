"""Tables: aligned keys and values, and Markdown."""

from collections.abc import Mapping, Sequence

from geosrseg.core.text.plain_text import one_line


def write_lines(values: Mapping[str, str]) -> str:
    """One line per value that is not empty, with the values aligned."""
    width = max(map(len, values)) + 2
    return "\n".join(
        f"{one_line(key):<{width}}{one_line(value)}" for key, value in values.items() if value
    )


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Format rows as a Markdown table; the first row is the header."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
