"""Record: reads the values of a JSON object with strict types.

Python would convert ``true`` to 1, ``4.7`` to 4 and the text ``"abc"`` to three bands. A model
file with such values is wrong, and is refused.
"""

from dataclasses import dataclass
from typing import Any

from geosrseg.core.text.numerals import finite, shown, whole


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object.

    Every method takes a key, and raises ``ValueError`` if the key is missing or its value has
    another type.
    """

    values: dict[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.values, dict):
            raise ValueError(f"expected a JSON object, got {shown(self.values)}")

    def text(self, key: str) -> str:
        return _text(self._value(key), key)

    def integer(self, key: str) -> int:
        return whole(self._value(key), key)

    def integer_or_null(self, key: str) -> int | None:
        return None if self._value(key) is None else self.integer(key)

    def number(self, key: str, *, default: float) -> float:
        """Return a finite number; the default if the key is missing."""
        return finite(self.values.get(key, default), key)

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(_text(item, key) for item in self._items(key))

    def numbers(self, key: str) -> tuple[float, ...]:
        return tuple(finite(item, key) for item in self._items(key))

    def mapping(self, key: str) -> dict[str, Any]:
        return _mapping(self._value(key), key)

    def mappings(self, key: str) -> list[dict[str, Any]]:
        return [_mapping(item, key) for item in self._items(key)]

    def counts(self, key: str) -> tuple[tuple[int, ...], ...]:
        """Return a list of lists of whole numbers from 0 to 2^53; empty if the key is missing."""
        return tuple(_counts(item, key) for item in self._items(key)) if key in self.values else ()

    def rows(self, key: str) -> tuple[tuple[float, ...], ...]:
        """Return a list of lists of numbers."""
        return tuple(Record({key: item}).numbers(key) for item in self._items(key))

    def number_by_name(self, key: str) -> dict[str, float]:
        """Return a JSON object whose values are numbers."""
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
    return tuple(whole(item, key, low=0) for item in value)


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} is text, got {shown(value)}")
    return value
