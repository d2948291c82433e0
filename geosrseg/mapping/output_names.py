"""Output names: what the map of a scene is called that was given no name of its own."""

import os
from collections.abc import Sequence
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.sensors.parts import product_of_part
from geosrseg.raster.storage.location import Location

SUFFIXES = (".tif", ".tiff", ".tar", ".zip", ".json", ".SAFE")
"""What a scene's name ends in and its map's does not."""


def default_output(scene: str | Path) -> Path:
    """The map of a scene that was given no name: ``STEM_classes.tif``.

    It lies beside the scene; in the current folder where that one cannot be written, or for
    a URL.
    """
    location = Location.of(scene)
    if location.is_remote:
        return Path(f"{_stem(location.name)}_classes.tif")
    path = location.path if location.name not in ("", "..") else location.path.resolve()
    folder = path.parent if os.access(path.parent, os.W_OK) else Path()
    return folder / f"{product_of_part(location) or _stem(path.name)}_classes.tif"


def map_paths(scenes: Sequence[str | Path], folder: Path | None) -> list[Path]:
    """A map for each scene: of its name in a folder, or without one, see `default_output`.

    Raises:
        OutputError: two scenes have one name, or there is no such folder.
    """
    if folder is None:
        paths = [default_output(scene) for scene in scenes]
    elif folder.is_dir():
        paths = [folder / f"{_name(Location.of(scene))}.tif" for scene in scenes]
    else:
        raise OutputError(f"{folder}: expected a folder for the maps of several scenes: make it")
    twice = [str(path) for path in paths if paths.count(path) > 1]
    if twice:
        raise OutputError(f"two scenes would become {twice[0]}: map them into folders of their own")
    return paths


def _name(location: Location) -> str:
    return product_of_part(location) or _stem(location.name)


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix.lower()) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
