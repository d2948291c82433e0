"""Reads the legend of a class map from a legend file or from the map's sidecar.

A legend file is TOML:

    ignored = [0]            # values of the map that are not classes; optional

    [[classes]]
    id = 1
    name = "forest"
    colour = "#1b7837"
    from = [2, "woodland"]   # ids or names that become this class; optional
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA, Legend, LegendClass
from geosrseg.core.text.numerals import parse_integer, parse_number
from geosrseg.core.text.toml_table import TomlTable
from geosrseg.errors import OutputError
from geosrseg.raster.maps.pam import pam_path
from geosrseg.raster.storage.gdal import reason
from geosrseg.regular_file import read_regular

MOST_BYTES = 2**20
"""Largest legend file or sidecar accepted; with all 255 classes it has about 40 kB."""

_NAME, _VALUE, _COLOURS = "2", "5", ("6", "7", "8")
"""GDAL's numbers for the usages of columns in a raster attribute table."""


@dataclass(frozen=True, slots=True)
class LegendFile:
    """Contents of a legend file.

    Attributes:
        sources: for each class, in the legend's order, the ids or names that become this class;
            empty if the class keeps its own id.
        ignored: values of the map that become nodata.
    """

    legend: Legend
    sources: tuple[tuple[int | str, ...], ...]
    ignored: tuple[int, ...]

    def table(self, old: Legend, *, owner: str) -> NDArray[np.uint8]:
        """Return (256,) the new class id for every old one; `NODATA` for ignored values.

        Args:
            old: the classes to convert.
            owner: owner of the old classes, for messages.

        Raises:
            OutputError: an old class is in no rule or in two, or a rule names an unknown class
                or a name that several have.
        """
        table = np.full(256, NODATA, np.uint8)
        placed = dict.fromkeys(self.ignored, "'ignored'")
        for item, words in zip(self.legend.classes, self.sources, strict=True):
            rule = f"class {item.id} {item.name}"
            for word in words or (item.id,):
                found = _find(word, old.classes) if isinstance(word, str) else word
                if found is None or found not in old.ids:
                    if not words:
                        continue  # a class that the old legend lacks
                    raise OutputError(
                        f"the legend makes {item.name!r} from {word!r}, which is not a class of "
                        f"{owner} ({_shown(old.classes)})"
                    )
                if placed.setdefault(found, rule) != rule:
                    own = _shown(item for item in old.classes if item.id == found)
                    raise OutputError(
                        f"the legend has {own} in {placed[found]} and in {rule}: leave one (a "
                        "class without 'from' keeps its own id)"
                    )
                table[found] = item.id
        missing = [item for item in old.classes if item.id not in placed]
        if missing:
            raise OutputError(
                f"the legend does not mention {_shown(missing)}: add it to a 'from', or to "
                "'ignored' to make it nodata"
            )
        return table


def _find(name: str, classes: Sequence[LegendClass]) -> int | None:
    """Return the id of the class with a name; case counts only where it tells classes apart."""
    exact = [item for item in classes if item.name == name]
    found = exact or [item for item in classes if item.name.casefold() == name.casefold()]
    if len(found) > 1:
        raise OutputError(f"{name!r} may be {_shown(found)}: give the id")
    return found[0].id if found else None


def _shown(classes: Iterable[LegendClass]) -> str:
    return ", ".join(f"{item.id} {item.name}" for item in classes)


def read_legend_file(path: str | Path) -> LegendFile:
    """Read a legend file.

    Raises:
        OutputError: the file cannot be read, or a value is missing or wrong.
    """
    path = Path(path)
    try:
        table = TomlTable(tomllib.loads(_read_text(path))).only(("classes", "ignored"))
        entries = [
            entry.only(("id", "name", "colour", "from")) for entry in table.tables("classes")
        ]
        entries.sort(key=lambda entry: entry.integer("id"))
        classes = tuple(
            LegendClass(entry.integer("id"), entry.text("name"), entry.text("colour"))
            for entry in entries
        )
        sources = tuple(_sources(entry) for entry in entries)
        ignored = table.items("ignored", expected="a list of values")
        if not all(isinstance(value, int) for value in ignored):
            raise table.wrong("ignored", "a list of whole numbers")
        return LegendFile(Legend(classes), sources, tuple(ignored))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: is not a legend file ({reason(error)})") from error


def _sources(entry: TomlTable) -> tuple[int | str, ...]:
    values = entry.items("from", expected="a list of ids or names")
    if not all(isinstance(value, int | str) and not isinstance(value, bool) for value in values):
        raise entry.wrong("from", "a list of ids or names")
    return tuple(values)


def read_sidecar_legend(path: Path, colours: Mapping[int, tuple[int, ...]]) -> Legend | None:
    """Read the legend in a raster's ``.aux.xml``: attribute table or category names.

    Args:
        path: the raster.
        colours: value -> red, green, blue (and opacity) of the raster's own colour table.

    Returns:
        The legend; None without a sidecar, or if the sidecar names no classes.

    Raises:
        OutputError: the sidecar is unreadable.
    """
    sidecar = pam_path(path)
    if not sidecar.is_file():
        return None
    try:
        text = _read_text(sidecar)
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise ValueError("it declares a document type")
        root = ElementTree.fromstring(text)
        names = _table_names(root) or _category_names(root)
        classes = [
            LegendClass(value, name, colour or _colour(colours.get(value), value))
            for value, (name, colour) in sorted(names.items())
            if value < NODATA
        ]
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise OutputError(
            f"{sidecar}: cannot be read ({reason(error)}): give the classes with `legend`"
        ) from error
    return Legend(tuple(classes)) if classes else None


def colour_legend(values: list[int], colours: Mapping[int, tuple[int, ...]]) -> Legend:
    """Make a legend for values without names, such as ``class 3``."""
    classes = (LegendClass(v, f"class {v}", _colour(colours.get(v), v)) for v in sorted(values))
    return Legend(tuple(classes))


def _category_names(root: ElementTree.Element) -> dict[int, tuple[str, str]]:
    band = root.find("PAMRasterBand[@band='1']/CategoryNames")
    names = [] if band is None else [item.text or "" for item in band.findall("Category")]
    return {value: (name, "") for value, name in enumerate(names) if name.strip()}


def _table_names(root: ElementTree.Element) -> dict[int, tuple[str, str]]:
    table = root.find("PAMRasterBand[@band='1']/GDALRasterAttributeTable")
    if table is None:
        return {}
    usages = [field.findtext("Usage", "") for field in table.findall("FieldDefn")]
    if _NAME not in usages or _VALUE not in usages:
        return {}
    found = {}
    for row in table.findall("Row"):
        cells = [cell.text or "" for cell in row.findall("F")]
        named = dict(zip(usages, cells, strict=False))
        if name := named.get(_NAME, "").strip():
            rgb = [named.get(usage, "") for usage in _COLOURS]
            numbers = [parse_integer(text, "a colour", high=255) for text in rgb if all(rgb)]
            colour = "#{:02x}{:02x}{:02x}".format(*numbers) if numbers else ""
            found[int(parse_number(named.get(_VALUE, ""), "a value"))] = (name, colour)
    return found


def _colour(rgb: tuple[int, ...] | None, value: int) -> str:
    """Return the colour of the table, or else one derived from the value."""
    if rgb is not None:
        return "#{:02x}{:02x}{:02x}".format(*rgb[:3])
    return f"#{(value * 2_654_435_761) & 0xFFFFFF:06x}"


def _read_text(path: Path) -> str:
    return read_regular(path, limit=MOST_BYTES).decode("utf-8-sig")
