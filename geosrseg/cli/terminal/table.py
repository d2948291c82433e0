"""Aligned lines of keys and values, for `info` and `models show`."""

from collections.abc import Mapping

from geosrseg.core.text.plain_text import one_line


def write_lines(values: Mapping[str, str]) -> str:
    """One line per value that is not empty, with the values aligned."""
    width = max(map(len, values)) + 2
    return "\n".join(
        f"{one_line(key):<{width}}{one_line(value)}" for key, value in values.items() if value
    )
