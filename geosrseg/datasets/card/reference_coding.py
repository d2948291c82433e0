"""ReferenceCoding: which values or colours of a reference are which class.

A reference holds numbers or colours. Both are codes here: a number is its own code, a
colour is red * 65536 + green * 256 + blue.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
"""A colour as a card says it."""

NO_CODE = -1
"""The code of a pixel that a reference itself marks as empty; ignored."""

_NUMBER_RANGE = re.compile(r"(\d+)-(\d+)")
_LARGEST_NUMBER = 2**16 - 1


@dataclass(frozen=True)
class ReferenceCoding:
    """The codes of a dataset's references.

    Attributes:
        is_coloured: the codes are colours.
        classes: the codes of each class, in the order of the legend.
        ignored: codes that have no class on purpose; any other is unknown.
    """

    is_coloured: bool
    classes: tuple[tuple[int, ...], ...]
    ignored: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        seen: set[int] = set()
        for codes in (*self.classes, self.ignored):
            if twice := seen.intersection(codes):
                raise ValueError(
                    f"{self.show(min(twice))} of the references has two meanings: give every "
                    "value or colour to one class, or to ignored"
                )
            seen.update(codes)

    @cached_property
    def _table(self) -> NDArray[np.uint8]:
        """Class index by code; NODATA for all others, and for `NO_CODE`, the last entry."""
        table = np.full(2**24 + 1 if self.is_coloured else 2**16 + 2, NODATA, np.uint8)
        for index, codes in enumerate(self.classes):
            table[list(codes)] = index
        return table

    def decode(self, codes: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Class indices of codes, NODATA where they have no class."""
        return self._table[codes]

    def count_unknown(self, codes: NDArray[np.int32]) -> dict[int, int]:
        """Pixels by code, of the codes that have no class and are not ignored either."""
        without = codes[(self._table[codes] == NODATA) & (codes != NO_CODE)]
        found, counts = np.unique(without, return_counts=True)
        pairs = zip(found.tolist(), counts.tolist(), strict=True)
        return {code: count for code, count in pairs if code not in self.ignored}

    def show(self, code: int) -> str:
        """A code as a card says it."""
        if self.is_coloured:
            return f"#{code:06x}"
        return str(code) if code <= _LARGEST_NUMBER else "a value that is no class id"

    def __getstate__(self) -> dict[str, Any]:
        """For another process: the table is made there."""
        return {key: value for key, value in self.__dict__.items() if key != "_table"}


def parse_codes(item: object) -> tuple[bool, tuple[int, ...]]:
    """What a card says of a class's values, such as ``3``, ``"128-255"`` or ``"#3c1098"``.

    Returns:
        Whether it is a colour, and the codes.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= _LARGEST_NUMBER:
        return False, (item,)
    if isinstance(item, str) and COLOUR.fullmatch(item):
        return True, (int(item[1:], 16),)
    if isinstance(item, str) and (match := _NUMBER_RANGE.fullmatch(item)):
        first, last = map(int, match.groups())
        if first <= last <= _LARGEST_NUMBER:
            return False, tuple(range(first, last + 1))
    raise ValueError(f"{item!r}")


def number_codes(values: NDArray[np.generic]) -> NDArray[np.int32]:
    """Codes of numbers of any real dtype.

    What is no whole number of 16 bits gets one code more, NaN gets `NO_CODE`.
    """
    if values.dtype == np.uint8:
        return values.astype(np.int32)
    numbers = values.astype(np.float64)
    known = (numbers >= 0) & (numbers <= _LARGEST_NUMBER) & (numbers == np.floor(numbers))
    other = np.where(np.isnan(numbers), NO_CODE, _LARGEST_NUMBER + 1)
    return np.where(known, numbers, other).astype(np.int32)


def colour_codes(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Codes of colours, (3, rows, cols) -> (rows, cols)."""
    red, green, blue = rgb.astype(np.int32)
    return (red << 16) | (green << 8) | blue
