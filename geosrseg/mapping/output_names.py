"""Output names: what the map of a scene is called that was given no name of its own."""

import os
from collections.abc import Sequence
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.maps.row_store import names_in_store
from geosrseg.raster.sensors.parts import product_of_part
from geosrseg.raster.storage.gdal import reason
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
        OutputError: two scenes have one name, or the folder is a file or has the name of one.
    """
    if folder is None:
        paths = [default_output(scene) for scene in scenes]
    elif folder.is_dir() or not (folder.exists() or folder.suffix.lower() in (".tif", ".tiff")):
        paths = [folder / f"{scene_name(scene)}.tif" for scene in scenes]
    else:
        raise OutputError(
            f"{folder}: expected a folder for the maps of several scenes: name one, it is made"
        )
    twice = [str(path) for path in paths if paths.count(path) > 1]
    if twice:
        raise OutputError(f"two scenes would become {twice[0]}: map them into folders of their own")
    return paths


def make_folder(folder: Path) -> None:
    """Make the folder of maps where it is not there yet.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder cannot be made ({reason(error)}): choose another"
        ) from error


def is_made(output: Path) -> bool:
    """Whether a map is there, and no stopped run still has files to write beside it."""
    return output.is_file() and output.absolute() not in names_in_store(output)


def scene_name(scene: str | Path) -> str:
    """What the outputs of a scene are called: the name of its file or product, no suffix."""
    location = Location.of(scene)
    return product_of_part(location) or _stem(location.name)


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix.lower()) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
