"""Manifest: compares the settings that decide a run's rows with those of a stopped run."""

from collections.abc import Mapping
from pathlib import Path

from geosrseg.errors import OutputError

OUTPUT, STRIPS = "output", "strips of windows"
"""Keys of a manifest: the output's file name, and the number of strips of the whole map."""

VERSION, FORM = "version", "form of rows"
"""Keys whose values change between versions of geosrseg."""


def check_manifest(found: Mapping[str, str], wanted: Mapping[str, str], *, output: Path) -> None:
    """Refuse to resume a run that computed other rows.

    Raises:
        OutputError: the manifests differ; the message names the differences.
    """
    differing = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    if VERSION in differing or FORM in differing:
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
