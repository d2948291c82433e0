"""Mtl: parses the metadata file of a Landsat product into groups of keys.

Groups share keys: ``REFLECTANCE_MULT_BAND_4`` has one value for Level 2 and another for the
Level 1 product behind it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import parse_number, shown
from geosrseg.core.text.record import Record
from geosrseg.core.text.xml_text import parse_xml
from geosrseg.errors import SceneError

ROOT = "LANDSAT_METADATA_FILE"
"""Outermost group of a Collection 2 file."""

MOST_BYTES = 2**20
"""Largest MTL file accepted."""

_LINE = re.compile(r"(\w+)\s*=\s*(.+)")


@dataclass(frozen=True, slots=True)
class Mtl:
    """Contents of a metadata file.

    Attributes:
        groups: group -> key -> value, as text without quotes.
    """

    groups: Mapping[str, Mapping[str, str]]

    def text(self, group: str, key: str) -> str:
        """Return a value.

        Raises:
            SceneError: the group has no such key.
        """
        try:
            return self.groups[group][key]
        except KeyError:
            raise SceneError(
                f"its MTL has no {key} in the group {group}: get the product again"
            ) from None

    def number(self, group: str, key: str) -> float:
        """Return a value that is a number.

        Raises:
            SceneError: the group has no such key, or its value is not a number.
        """
        text = self.text(group, key)
        try:
            return parse_number(text)
        except ValueError:
            raise SceneError(
                f"its MTL has {key} = {shown(text)}, expected a number: get the product again"
            ) from None


def parse_mtl(content: bytes, *, suffix: str) -> Mtl:
    """Parse a metadata file.

    Args:
        suffix: ``.txt`` (ODL), ``.json`` or ``.xml``.

    Raises:
        SceneError: the file is not a Collection 2 MTL.
    """
    text = content.decode("utf-8-sig", "replace")
    try:
        groups = _PARSERS[suffix.lower()](text)
    except ValueError as error:
        raise SceneError(f"its MTL cannot be read ({error}): get the product again") from error
    return Mtl(groups)


def _parse_odl(text: str) -> dict[str, dict[str, str]]:
    """Parse lines ``GROUP = A``, ``KEY = value`` and ``END_GROUP = A`` up to ``END``."""
    groups: dict[str, dict[str, str]] = {}
    path: list[str] = []
    for line in (line.strip(" \t\0") for line in text.splitlines()):
        if line == "END":
            break
        found = _LINE.fullmatch(line)
        key, value = found.groups() if found else ("", "")
        if key == "GROUP":
            path.append(value)
            _check_root(path[0])
        elif key == "END_GROUP":
            path = path[:-1]
        elif key and path:
            groups.setdefault(path[-1], {}).setdefault(key, value.strip().strip('"'))
    if not groups:
        raise ValueError("it has no groups")
    return groups


def _parse_json(text: str) -> dict[str, dict[str, str]]:
    root = parse_json(text)
    _check_root(next(iter(root), "") if isinstance(root, dict) else "")
    document = Record(Record(root).mapping(ROOT))
    return {
        name: {
            key: value if isinstance(value, str) else shown(value)
            for key, value in document.mapping(name).items()
        }
        for name in document.values
    }


def _parse_xml(text: str) -> dict[str, dict[str, str]]:
    root = parse_xml(text.encode())
    _check_root(root.tag)
    return {group.tag: {item.tag: (item.text or "").strip() for item in group} for group in root}


def _check_root(name: str) -> None:
    if name != ROOT:
        raise ValueError(f"its outermost group is {shown(name)}, expected {ROOT} of Collection 2")


_PARSERS = {".txt": _parse_odl, ".json": _parse_json, ".xml": _parse_xml}
