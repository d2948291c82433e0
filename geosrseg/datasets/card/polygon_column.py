"""PolygonColumn: the column of a polygon file that holds the classes.

docs/datasets.md describes the keys of the table ``[polygons]``.
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
        classes: values of each class, as text, in the order of the legend.
        ignored: values without a class.
        elsewhere: index of the class between the polygons; None ignores that ground.
    """

    name: str
    classes: tuple[tuple[str, ...], ...]
    ignored: tuple[str, ...] = ()
    elsewhere: int | None = None

    def code_of(self, value: object) -> int | None:
        """Return a value's class index, `NO_CODE` if it is ignored, None if it is unknown."""
        text = _text(value)
        if text in self.ignored:
            return NO_CODE
        return next((index for index, own in enumerate(self.classes) if text in own), None)


def parse_polygon_column(
    card: TomlTable, entries: Sequence[TomlTable], legend: Legend
) -> PolygonColumn:
    """Read ``[polygons]`` and the values of the classes.

    Args:
        entries: tables of the classes, in the order of the legend.

    Raises:
        ValueError: a value is wrong, or has two classes.
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
            raise ValueError(f"{min(twice)!r} has two classes, or one and is ignored")
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
    """Convert a value to text for comparison; files may store whole numbers as floats."""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value).strip()
