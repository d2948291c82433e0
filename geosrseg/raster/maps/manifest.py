"""Manifest: the settings that decide a run's rows, compared with those of a stopped run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import OutputError
from geosrseg.regular_file import read_regular

MANIFEST = "manifest.json"

MAX_BYTES = 2**20
"""Largest manifest or list of names accepted; either has a few kB."""

OUTPUT, STRIPS = "output", "strips of windows"
"""Keys of a manifest: the output's file name, and the number of strips of the whole map."""

VERSION, FORM = "version", "form of rows"
"""Keys whose values change between versions of geosrseg."""


def manifest_of(folder: Path) -> dict[str, str] | None:
    """Return a store's manifest; None without a usable one."""
    values = read_json(folder / MANIFEST)
    usable = isinstance(values, dict) and all(isinstance(v, str) for v in values.values())
    return values if usable else None


def read_json(path: Path) -> Any:
    """Return None if the file is missing or no JSON."""
    try:
        return parse_json(read_regular(path, limit=MAX_BYTES))
    except (OSError, ValueError):
        return None


def check_manifest(found: Mapping[str, str], wanted: Mapping[str, str], *, output: Path) -> None:
    """Refuse to resume a run that computed other rows.

    Raises:
        OutputError: the manifests differ; the message names the differences.
    """
    differing = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    if {VERSION, FORM} & {*differing} or found.keys() != wanted.keys():
        raise OutputError(
            f"{output}: the stopped run is of another version of geosrseg "
            f"({_short(found.get(VERSION))}), whose rows differ: resume it with that version, or "
            "start again with `overwrite=True`"
        )
    if differing:
        said = ", ".join(
            f"{name} {_short(found.get(name))} instead of {_short(wanted.get(name))}"
            for name in differing
        )
        raise OutputError(
            f"{output}: a stopped run used {said}: repeat its options to resume it, or start again "
            "with `overwrite=True`"
        )


def _short(value: str | None) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
