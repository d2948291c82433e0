"""ReferenceCoding: maps the values or colours of a reference to classes.

A reference holds numbers or colours. Both become codes: a number is its own code, a colour is
red * 65536 + green * 256 + blue.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
"""A colour as a card writes it."""

_SMALLEST_NUMBER = -(2**15)
_LARGEST_NUMBER = 2**16 - 1

NO_CODE = _SMALLEST_NUMBER - 1
"""Code of a pixel that the reference itself marks as empty; ignored."""

_NUMBER_RANGE = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True)
class ReferenceCoding:
    """The codes of a dataset's references.

    Attributes:
        is_coloured: the codes are colours.
        classes: codes of each class, in the order of the legend.
        ignored: codes without a class; all others are unknown.
        tolerance: largest distance in RGB between a colour and the one that it stands for;
            lossy compression changes colours.
    """

    is_coloured: bool
    classes: tuple[tuple[int, ...], ...]
    ignored: tuple[int, ...] = ()
    tolerance: int = 0

    def __post_init__(self) -> None:
        seen: set[int] = set()
        for codes in (*self.classes, self.ignored):
            if twice := seen.intersection(codes):
                raise ValueError(
                    f"{self.show(min(twice))} of the references has two meanings: assign each "
                    "value or colour to one class, or to ignored"
                )
            seen.update(codes)

    @cached_property
    def _tables(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Indexed by code - `NO_CODE`: the class index or NODATA, and True for known codes."""
        last = 2**24 - 1 if self.is_coloured else _LARGEST_NUMBER + 1
        indices = np.full(last - NO_CODE + 1, NODATA, np.uint8)
        known = np.zeros(len(indices), np.bool_)
        known[0] = True
        for index, codes in (*enumerate(self.classes), (NODATA, self.ignored)):
            places = np.array(codes, np.int64) - NO_CODE
            indices[places], known[places] = index, True
        if self.is_coloured and self.tolerance:
            self._add_near_colours(indices[-NO_CODE:], known[-NO_CODE:])
        return indices, known

    def _add_near_colours(self, indices: NDArray[np.uint8], known: NDArray[np.bool_]) -> None:
        """Give each colour within the tolerance the meaning of the card's nearest one.

        Args:
            indices: (2**24,) class index by colour, changed in place.
            known: (2**24,) True for known colours, changed in place.
        """
        codes = np.flatnonzero(known)
        colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255])
        meanings = indices[codes]
        others = np.mgrid[:256, :256].reshape(2, -1)
        for red in range(256):  # one plane at a time: all at once would take gigabytes
            squares = (colours[0] - red)[:, None] ** 2 + (
                (colours[1:, :, None] - others[:, None]) ** 2
            ).sum(axis=0)
            near = squares.min(axis=0) <= self.tolerance**2
            plane = slice(red << 16, (red + 1) << 16)
            indices[plane][near] = meanings[squares.argmin(axis=0)][near]
            known[plane] |= near

    def decode(self, codes: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return class indices of codes; NODATA where they have no class."""
        return self._tables[0][codes - NO_CODE]

    def count_unknown(self, codes: NDArray[np.int32]) -> dict[int, int]:
        """Return the pixels of each unknown code, neither ignored nor in a class."""
        found, counts = np.unique(codes[~self._tables[1][codes - NO_CODE]], return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))

    def show(self, code: int) -> str:
        """Write a code as a card does."""
        if self.is_coloured:
            return f"#{code:06x}"
        return str(code) if code <= _LARGEST_NUMBER else "values other than 16-bit whole numbers"

    def __getstate__(self) -> dict[str, Any]:
        """Leave the tables out: another process makes its own."""
        return {key: value for key, value in self.__dict__.items() if key != "_tables"}


def parse_codes(item: object) -> tuple[bool, tuple[int, ...]]:
    """Read a card's value of a class, such as ``3``, ``"128-255"`` or ``"#3c1098"``.

    Numbers may be negative, but not in a range.

    Returns:
        True for a colour, and the codes.

    Raises:
        ValueError: the value has another form.
    """
    numbers = range(_SMALLEST_NUMBER, _LARGEST_NUMBER + 1)
    if isinstance(item, int) and not isinstance(item, bool) and item in numbers:
        return False, (item,)
    if isinstance(item, str) and COLOUR.fullmatch(item):
        return True, (int(item[1:], 16),)
    if isinstance(item, str) and (match := _NUMBER_RANGE.fullmatch(item)):
        first, last = map(int, match.groups())
        if first <= last <= _LARGEST_NUMBER:
            return False, tuple(range(first, last + 1))
    raise ValueError(f"{item!r}")


def number_codes(values: NDArray[np.generic]) -> NDArray[np.int32]:
    """Return codes of numbers of any real dtype.

    All numbers but 16-bit whole numbers share one further code; NaN gets `NO_CODE`.
    """
    if values.dtype == np.uint8:
        return values.astype(np.int32)
    numbers = values.astype(np.float64)
    known = (
        (numbers >= _SMALLEST_NUMBER)
        & (numbers <= _LARGEST_NUMBER)
        & (numbers == np.floor(numbers))
    )
    other = np.where(np.isnan(numbers), NO_CODE, _LARGEST_NUMBER + 1)
    return np.where(known, numbers, other).astype(np.int32)


def colour_codes(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return codes of colours, (3, rows, cols) -> (rows, cols)."""
    red, green, blue = rgb.astype(np.int32)
    return (red << 16) | (green << 8) | blue
