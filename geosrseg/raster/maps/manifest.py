"""Manifest: what a run says of its rows, by which the run that would resume it knows them."""

from collections.abc import Mapping
from pathlib import Path

from geosrseg.errors import OutputError

OUTPUT, STRIPS = "output", "strips of windows"
"""Names in a manifest: of the output's file name, and of how many strips there will be."""

VERSION, FORM = "version", "form of rows"
"""Names of what another version of this program does otherwise."""


def check_manifest(found: Mapping[str, str], wanted: Mapping[str, str], *, output: Path) -> None:
    """Refuse to resume a run whose rows are others than those that are wanted.

    Raises:
        OutputError: says in what they differ, and what to do.
    """
    differing = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    if VERSION in differing or FORM in differing:
        raise OutputError(
            f"{output}: a run of another version of geosrseg was stopped "
            f"({_short(found.get(VERSION))}), and the rows of this one differ: resume it with that "
            "version, or start again with `overwrite=True`"
        )
    if differing:
        said = ", ".join(
            f"{name} {_short(found.get(name))} and not {_short(wanted.get(name))}"
            for name in differing
        )
        raise OutputError(
            f"{output}: a stopped run had {said}: run it with what it had to go on, or begin anew "
            "with `overwrite=True`"
        )


def _short(value: str | None) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
