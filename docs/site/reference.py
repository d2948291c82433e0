"""Writes the reference of the public Python names, from their docstrings."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

HEADER = """# Python

Every public name of `geosrseg`, from its docstring. [From Python](python.md) shows them at work.
"""

ROOMS = {
    "Map scenes": ("mapping", "raster", "products"),
    "Work on finished maps": ("analysis",),
    "Many scenes": ("batch",),
    "Models, classes and devices": ("core", "runtime", "version"),
    "Train": ("datasets", "networks", "training"),
    "Measure": ("evaluation", "bench"),
    "Errors and warnings": ("errors",),
}
"""Folders of the package by heading."""


def reference() -> str:
    """Return the text of the page."""
    rooms: dict[str, list[tuple[str, str]]] = {}
    for module, name in public_names():
        rooms.setdefault(module.split(".")[1], []).append((module, name))
    text = HEADER
    for heading, names in ROOMS.items():
        text += f"\n## {heading}\n"
        entries = [entry for room in names for entry in rooms.pop(room, [])]
        for module, name in sorted(entries, key=lambda entry: entry[1].lower()):
            text += f"\n::: {module}.{name}\n"
    if rooms:
        raise ValueError(f"no heading for the names of {', '.join(rooms)}: add it to ROOMS")
    return text


def public_names() -> Iterator[tuple[str, str]]:
    """Yield module and name of each public name."""
    stub = (ROOT / "geosrseg" / "__init__.pyi").read_text(encoding="utf-8")
    yield from re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE)
