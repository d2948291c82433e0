"""Lines of keys and values, as `info` and `models show` print them."""

from collections.abc import Mapping

from geosrseg.core.text.plain_text import one_line


def write_lines(values: Mapping[str, str]) -> str:
    """A line for each value that is not empty, the values below each other."""
    width = max(map(len, values)) + 2
    return "\n".join(
        f"{one_line(key):<{width}}{one_line(value)}" for key, value in values.items() if value
    )
