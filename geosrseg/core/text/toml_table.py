"""TomlTable: reads the values of a dataset card with strict types.

Every error names the key, its value and what was expected. Unknown keys, such as misspelt ones,
are errors too.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geosrseg.core.text.numerals import shown


@dataclass(frozen=True, slots=True)
class TomlTable:
    """A TOML table.

    Every method takes a key, and raises ``ValueError`` if the value has another type, or if
    it is missing and there is no default.

    Attributes:
        name: name in the card, such as ``[[scenes]] 2``; empty for the whole card.
    """

    values: dict[str, Any]
    name: str = ""

    def only(self, keys: Sequence[str]) -> "TomlTable":
        """Return this table if it has no other keys, otherwise raise ``ValueError``."""
        for key in self.values:
            if key not in keys:
                close = difflib.get_close_matches(key, keys, n=1)
                meant = f"did you mean {close[0]}?" if close else f"expected {', '.join(keys)}"
                raise ValueError(f"{self._place(key)} is not a key of a card: {meant}")
        return self

    def has(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._value(key, default, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text")
        return value

    def integer(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """Return a whole number of `least` or more."""
        expected = f"a whole number of {least} or more"
        value = self._value(key, default, expected)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(key, expected)
        return value

    def number(self, key: str) -> float:
        value = self._value(key, None, "a number")
        if not _is_number(value):
            raise self.wrong(key, "a number")
        return float(value)

    def numbers(self, key: str, *, count: int, expected: str) -> tuple[float, ...]:
        """Return a list of `count` numbers."""
        value = self._value(key, None, expected)
        if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
            raise self.wrong(key, expected)
        return tuple(map(float, value))

    def items(self, key: str, *, expected: str) -> list[Any]:
        """Return a list, or a single value as a list of one; empty if the key is missing."""
        value = self.values.get(key, [])
        if isinstance(value, dict):
            raise self.wrong(key, expected)
        return value if isinstance(value, list) else [value]

    def table(self, key: str) -> "TomlTable":
        value = self._value(key, None, f"a table [{key}]")
        if not isinstance(value, dict) or not value:
            raise self.wrong(key, f"a table [{key}]")
        return TomlTable(value, f"[{key}]")

    def tables(self, key: str) -> list["TomlTable"]:
        """Return a list of at least one table."""
        expected = f"one table [[{key}]] or more"
        value = self._value(key, None, expected)
        if not (isinstance(value, list) and value and all(isinstance(v, dict) for v in value)):
            raise self.wrong(key, expected)
        return [TomlTable(item, f"[[{key}]] {number}") for number, item in enumerate(value, 1)]

    def wrong(self, key: str, expected: str) -> ValueError:
        """Return the error for an unexpected value."""
        return ValueError(f"{self._place(key)} is {shown(self.values[key])}, expected {expected}")

    def _value(self, key: str, default: object, expected: str) -> Any:
        value = self.values.get(key, default)
        if value is None:
            raise ValueError(f"{self._place(key)} is missing, expected {expected}")
        return value

    def _place(self, key: str) -> str:
        return f"{self.name} {key}".strip()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
