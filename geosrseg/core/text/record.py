"""Record: a JSON object of which every value is read with the type it must have.

Python would read ``true`` as 1, ``4.7`` as 4 and the text ``"abc"`` as three bands. A model
file that says such things is wrong, and is refused.
"""

from dataclasses import dataclass
from typing import Any

from geosrseg.core.text.numerals import finite, shown


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object.

    Every method takes a key and raises ``ValueError`` where it is missing or its value has
    another type.

    Attributes:
        values: what the JSON object holds.
    """

    values: dict[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.values, dict):
            raise ValueError(f"expected a JSON object, got {shown(self.values)}")

    def text(self, key: str) -> str:
        """A string."""
        return _text(self._value(key), key)

    def integer(self, key: str) -> int:
        """A whole number."""
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{key} is an integer, got {shown(value)}")
        return value

    def integer_or_null(self, key: str) -> int | None:
        """A whole number, or None for null."""
        return None if self._value(key) is None else self.integer(key)

    def number(self, key: str, *, default: float) -> float:
        """A number, which may be missing."""
        return finite(self.values.get(key, default), key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(_text(item, key) for item in self._items(key))

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers."""
        return tuple(finite(item, key) for item in self._items(key))

    def mapping(self, key: str) -> dict[str, Any]:
        """A JSON object."""
        return _mapping(self._value(key), key)

    def mappings(self, key: str) -> list[dict[str, Any]]:
        """A list of JSON objects."""
        return [_mapping(item, key) for item in self._items(key)]

    def counts(self, key: str) -> tuple[tuple[int, ...], ...]:
        """A list of lists of whole numbers from 0 to 2^53, which may be missing."""
        return tuple(_counts(item, key) for item in self._items(key)) if key in self.values else ()

    def rows(self, key: str) -> tuple[tuple[float, ...], ...]:
        """A list of lists of numbers."""
        return tuple(Record({key: item}).numbers(key) for item in self._items(key))

    def number_by_name(self, key: str) -> dict[str, float]:
        """A JSON object that holds numbers only."""
        return {name: finite(item, name) for name, item in self.mapping(key).items()}

    def _items(self, key: str) -> list[Any]:
        value = self._value(key)
        if not isinstance(value, list):
            raise ValueError(f"{key} is a list, got {shown(value)}")
        return value

    def _value(self, key: str) -> object:
        if key not in self.values:
            raise ValueError(f"{key!r} is missing")
        return self.values[key]


def _mapping(value: object, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{key} holds JSON objects, got {shown(value)}")
    return value


def _counts(value: object, key: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{key} is a list of lists, got {shown(value)}")
    for item in value:
        if type(item) is not int or not 0 <= item <= 2**53:
            raise ValueError(f"{key} holds counts, got {shown(item)}")
    return tuple(value)


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} is text, got {shown(value)}")
    return value
