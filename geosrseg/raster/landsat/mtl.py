"""Mtl: the metadata file of a Landsat product, by group.

The same keys stand in several groups: ``REFLECTANCE_MULT_BAND_4`` is one number in the
parameters of Level 2 and another in those of the Level 1 product that it was made from.
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
"""The outermost group of Collection 2."""

MOST_BYTES = 2**20
"""A larger file is no MTL."""

_LINE = re.compile(r"(\w+)\s*=\s*(.+)")


@dataclass(frozen=True, slots=True)
class Mtl:
    """What a metadata file says.

    Attributes:
        groups: group -> key -> value, as text without quotes.
    """

    groups: Mapping[str, Mapping[str, str]]

    def text(self, group: str, key: str) -> str:
        """A value.

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
        """A value that is a number.

        Raises:
            SceneError: the group has no such key, or another kind of value.
        """
        text = self.text(group, key)
        try:
            return parse_number(text)
        except ValueError:
            raise SceneError(
                f"its MTL has {key} = {shown(text)}, expected a number: get the product again"
            ) from None


def parse_mtl(content: bytes, *, suffix: str) -> Mtl:
    """Read a metadata file.

    Args:
        suffix: ``.txt`` (ODL), ``.json`` or ``.xml``.

    Raises:
        SceneError: it is none of Collection 2.
    """
    text = content.decode("utf-8", "replace")
    try:
        groups = _PARSERS[suffix.lower()](text)
    except ValueError as error:
        raise SceneError(f"its MTL cannot be read ({error}): get the product again") from error
    return Mtl(groups)


def _parse_odl(text: str) -> dict[str, dict[str, str]]:
    """Lines ``GROUP = A``, ``KEY = value`` and ``END_GROUP = A`` up to ``END``."""
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
