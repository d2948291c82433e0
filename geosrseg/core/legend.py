"""The legend: class id -> name -> colour."""

import colorsys
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.plain_text import check_text
from geosrseg.core.text.record import Record
from geosrseg.errors import OutputError

NODATA = 255
"""Value of a class map where nothing is known; never a class."""


def even_colour(number: int, count: int) -> str:
    """Return a default colour: number `number` of `count` hues at equal distances."""
    channels = colorsys.hsv_to_rgb(number / count, 0.7, 0.85)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One class of a map.

    Attributes:
        id: value in the class map and in the reference, 0 to 254.
        name: name shown to readers of the map.
        colour: ``#rrggbb``.
    """

    id: int
    name: str
    colour: str

    def __post_init__(self) -> None:
        if not 0 <= self.id < NODATA:
            raise ValueError(f"a class id is 0 to {NODATA - 1}, got {self.id} for {self.name!r}")
        check_text(self.name, "the name of a class")
        if not self.name.strip():
            raise ValueError(f"class {self.id} has no name")
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.colour):
            raise ValueError(f"a colour is #rrggbb, got {self.colour!r} for {self.name!r}")

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue


WATER = re.compile(r"\b(water|sea|ocean|lake|river)s?\b", re.IGNORECASE)
"""Names of classes of open water, where a scene is dark."""


@dataclass(frozen=True, slots=True)
class Legend:
    """The classes of a map, in the order of the model's outputs, sorted by id."""

    classes: tuple[LegendClass, ...]

    def __post_init__(self) -> None:
        if not self.classes:
            raise ValueError("a legend has at least one class")
        if any(a.id >= b.id for a, b in pairwise(self.classes)):
            raise ValueError(f"class ids rise, got {self.ids}")

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(item.id for item in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.classes)

    def is_land(self) -> NDArray[np.bool_]:
        """(256,) True for every class id, except where the name indicates open water."""
        table = np.zeros(256, np.bool_)
        table[[item.id for item in self.classes if not WATER.search(item.name)]] = True
        return table

    def palette(self) -> NDArray[np.uint8]:
        """(256, 3) red, green, blue for every value of a class map; unused values are black."""
        table = np.zeros((256, 3), np.uint8)
        for item in self.classes:
            table[item.id] = item.rgb
        return table

    def id_table(self) -> NDArray[np.uint8]:
        """(256,) class id for every output index; indices beyond the classes give NODATA."""
        table = np.full(256, NODATA, np.uint8)
        table[: len(self)] = self.ids
        return table

    def index_table(self) -> NDArray[np.uint8]:
        """(256,) output index for every class id; ids outside the legend give NODATA."""
        table = np.full(256, NODATA, np.uint8)
        table[list(self.ids)] = np.arange(len(self))
        return table

    def to_json(self) -> list[dict[str, Any]]:
        return [{"id": c.id, "name": c.name, "colour": c.colour} for c in self.classes]

    @classmethod
    def from_json(cls, items: list[dict[str, Any]]) -> "Legend":
        """Read what `to_json` wrote.

        Raises:
            ValueError: a value is missing or invalid.
        """
        records = (Record(item) for item in items)
        return cls(
            tuple(LegendClass(r.integer("id"), r.text("name"), r.text("colour")) for r in records)
        )


def common_legend(legends: Mapping[str, Legend]) -> Legend:
    """Return the classes of several maps together.

    Args:
        legends: legend of each map by the name of the map.

    Raises:
        OutputError: an id has different names.
    """
    found: dict[int, tuple[LegendClass, str]] = {}
    for name, legend in legends.items():
        for entry in legend.classes:
            known, owner = found.setdefault(entry.id, (entry, name))
            if known.name != entry.name:
                raise OutputError(
                    f"{name}: class {entry.id} is {entry.name!r} here and {known.name!r} in "
                    f"{owner}: give them one legend with geosrseg relabel"
                )
    return Legend(tuple(found[value][0] for value in sorted(found)))
