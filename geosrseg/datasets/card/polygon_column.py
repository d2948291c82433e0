"""PolygonColumn: where polygons as references have their class.

[polygons]
column = "landuse"
elsewhere = "other"            # class of the ground between them; ignored, if left out

[[classes]]
id = 1
name = "forest"
reference = ["wood", "coppice"]   # values of the column; the name, if left out
"""

from collections.abc import Sequence
from dataclasses import dataclass

from geosrseg.core.legend import Legend
from geosrseg.core.text.toml_table import TomlTable
from geosrseg.datasets.card.reference_coding import NO_CODE

_VALUES = "a text or a whole number, or a list of them"


@dataclass(frozen=True, slots=True)
class PolygonColumn:
    """A column with classes.

    Attributes:
        classes: the values of each class, as text, in the order of the legend.
        ignored: values that have no class on purpose.
        elsewhere: index of the class between the polygons; None where that is ignored.
    """

    name: str
    classes: tuple[tuple[str, ...], ...]
    ignored: tuple[str, ...] = ()
    elsewhere: int | None = None

    def code_of(self, value: object) -> int | None:
        """The class's index, `NO_CODE` for what is ignored, None for an unknown value."""
        text = _text(value)
        if text in self.ignored:
            return NO_CODE
        return next((index for index, own in enumerate(self.classes) if text in own), None)


def parse_polygon_column(
    card: TomlTable, entries: Sequence[TomlTable], legend: Legend
) -> PolygonColumn:
    """Read ``[polygons]`` and the classes' values.

    Args:
        card: the whole card.
        entries: the tables of the classes, in the order of the legend.

    Raises:
        ValueError: a value is wrong, or stands for two classes.
    """
    table = card.table("polygons").only(("column", "elsewhere"))
    classes = tuple(
        _values(entry, "reference") or (name,)
        for entry, name in zip(entries, legend.names, strict=True)
    )
    ignored = _values(card, "ignored")
    seen: set[str] = set()
    for values in (*classes, ignored):
        if twice := seen.intersection(values):
            raise ValueError(f"{min(twice)!r} stands for two classes, or for one and for ignored")
        seen.update(values)
    elsewhere = None
    if table.has("elsewhere"):
        name = table.text("elsewhere")
        if name not in legend.names:
            raise table.wrong("elsewhere", f"the name of a class: {', '.join(legend.names)}")
        elsewhere = legend.names.index(name)
    return PolygonColumn(table.text("column"), classes, ignored, elsewhere)


def _values(table: TomlTable, key: str) -> tuple[str, ...]:
    items = table.items(key, expected=_VALUES)
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in items):
        raise table.wrong(key, _VALUES)
    return tuple(map(_text, items))


def _text(value: object) -> str:
    """A value as it is compared: files hold whole numbers as floating point too."""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value).strip()
