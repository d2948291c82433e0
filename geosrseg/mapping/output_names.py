"""Names of maps, derived from their scenes."""

import os
from collections.abc import Sequence
from pathlib import Path

from geosrseg.errors import OutputError
from geosrseg.raster.maps.row_store import names_in_store
from geosrseg.raster.sensors.parts import product_of_part
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.location import Location

SUFFIXES = (".tif", ".tiff", ".tar", ".zip", ".json", ".SAFE")
"""Suffixes of scenes that the names of their maps leave out."""


def default_output(scene: str | Path) -> Path:
    """Return the default map of a scene: ``STEM_classes.tif`` beside the scene.

    For a URL, or if the scene's folder is not writable, it is in the current folder.
    """
    location = Location.of(scene)
    if location.is_remote:
        return Path(f"{_stem(location.name)}_classes.tif")
    path = location.path if location.name not in ("", "..") else location.path.resolve()
    folder = path.parent if os.access(path.parent, os.W_OK) else Path()
    return folder / f"{product_of_part(location) or _stem(path.name)}_classes.tif"


def map_paths(scenes: Sequence[str | Path], folder: str | Path | None) -> list[Path]:
    """Return a map for each scene: its name in a folder, or its default without a folder.

    Raises:
        OutputError: two scenes have the same name, or the folder is a file or named like one.
    """
    if folder is None:
        paths = [default_output(scene) for scene in scenes]
    elif (folder := Path(folder)).is_dir() or not (
        folder.exists() or folder.suffix.lower() in (".tif", ".tiff")
    ):
        paths = [folder / f"{scene_name(scene)}.tif" for scene in scenes]
    else:
        raise OutputError(
            f"{folder}: expected a folder for the maps of several scenes: name one, which is "
            "created if missing"
        )
    twice = [str(path) for path in paths if paths.count(path) > 1]
    if twice:
        raise OutputError(f"two scenes would become {twice[0]}: map them into separate folders")
    return paths


def make_folder(folder: Path) -> None:
    """Create the folder of maps if it is missing.

    Raises:
        OutputError: the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder cannot be made ({reason(error)}): choose another"
        ) from error


def is_made(output: Path) -> bool:
    """Whether a map exists, and no interrupted run still has files to write beside it."""
    return output.is_file() and output.absolute() not in names_in_store(output)


def scene_name(scene: str | Path) -> str:
    """Return the name for outputs of a scene: its file's or product's, without suffix."""
    location = Location.of(scene)
    return product_of_part(location) or _stem(location.name)


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix.lower()) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
