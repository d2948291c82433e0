"""The outputs of several scenes: a map for each, of its name, in one folder."""

from collections.abc import Sequence
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.files.location import Location

SUFFIXES = (".tif", ".tiff", ".tar", ".json")
"""What a scene's name ends in and its map's does not."""


def map_paths(scenes: Sequence[str | Path], folder: Path) -> list[Path]:
    """A map for each scene, of its name, in a folder.

    Raises:
        OutputError: two scenes have one name, or there is no such folder.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: expected a folder for the maps of several scenes: make it")
    paths = [folder / f"{_stem(Location.of(scene).name)}.tif" for scene in scenes]
    twice = [path.name for path in paths if paths.count(path) > 1]
    if twice:
        raise OutputError(f"two scenes would become {twice[0]}: map them into folders of their own")
    return paths


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
