"""TomlTable: a table of a dataset card, of which every value is read with its type.

Every error names the key, what was found and what was expected; a key that is not known,
such as a misspelt one, is one of them.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TomlTable:
    """A TOML table.

    Every method takes a key and raises ``ValueError`` where the value has another type, or
    where it is missing and no default is given.

    Attributes:
        values: what the table holds.
        name: how the card calls it, such as ``[[scenes]] 2``; empty for the whole card.
    """

    values: dict[str, Any]
    name: str = ""

    def only(self, keys: Sequence[str]) -> "TomlTable":
        """Itself, if it has no other keys."""
        for key in self.values:
            if key not in keys:
                close = difflib.get_close_matches(key, keys, n=1)
                meant = f"did you mean {close[0]}?" if close else f"expected {', '.join(keys)}"
                raise ValueError(f"{self._place(key)} is no key of a card: {meant}")
        return self

    def has(self, key: str) -> bool:
        """True where the key is given."""
        return key in self.values

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._value(key, default, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text")
        return value

    def integer(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """A whole number of `least` or more."""
        expected = f"a whole number of {least} or more"
        value = self._value(key, default, expected)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(key, expected)
        return value

    def number(self, key: str) -> float:
        """A number."""
        value = self._value(key, None, "a number")
        if not _is_number(value):
            raise self.wrong(key, "a number")
        return float(value)

    def numbers(self, key: str, *, count: int, expected: str) -> tuple[float, ...]:
        """A list of `count` numbers."""
        value = self._value(key, None, expected)
        if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
            raise self.wrong(key, expected)
        return tuple(map(float, value))

    def items(self, key: str, *, expected: str) -> list[Any]:
        """A list, or a single value as a list of one; empty where the key is missing."""
        value = self.values.get(key, [])
        if isinstance(value, dict):
            raise self.wrong(key, expected)
        return value if isinstance(value, list) else [value]

    def table(self, key: str) -> "TomlTable":
        """A table."""
        value = self._value(key, None, f"a table [{key}]")
        if not isinstance(value, dict) or not value:
            raise self.wrong(key, f"a table [{key}]")
        return TomlTable(value, f"[{key}]")

    def tables(self, key: str) -> list["TomlTable"]:
        """A list of tables, at least one."""
        expected = f"one table [[{key}]] or more"
        value = self._value(key, None, expected)
        if not (isinstance(value, list) and value and all(isinstance(v, dict) for v in value)):
            raise self.wrong(key, expected)
        return [TomlTable(item, f"[[{key}]] {number}") for number, item in enumerate(value, 1)]

    def wrong(self, key: str, expected: str) -> ValueError:
        """The error of a value that is not what was expected."""
        return ValueError(f"{self._place(key)} is {_shown(self.values[key])}, expected {expected}")

    def _value(self, key: str, default: object, expected: str) -> Any:
        value = self.values.get(key, default)
        if value is None:
            raise ValueError(f"{self._place(key)} is missing, expected {expected}")
        return value

    def _place(self, key: str) -> str:
        return f"{self.name} {key}".strip()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """At most a line of a value."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
