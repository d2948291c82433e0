"""SensorInput: the scene given by the user, as sensors see it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from geosrseg.errors import SceneError
from geosrseg.raster.sensors.stac_item import StacItem, read_item
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.product_archive import is_archive, list_files, list_tree, read_file

FOLDER, ARCHIVE, ITEM, FILE = "folder", "archive", "item", "file"

MOST_BYTES = 2**22
"""Largest metadata file accepted by default."""

_ITEM_URL = re.compile(r"/collections/[^/]+/items/[^/]+/?$")


@dataclass(frozen=True)
class SensorInput:
    """A folder, an archive, a STAC item or any other file.

    Attributes:
        kind: "folder", "archive", "item" or "file".
    """

    location: Location
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _kind(self.location))

    @cached_property
    def files(self) -> Mapping[str, Location]:
        """File name -> location.

        Lists a folder without subfolders, a whole archive, or the folder of a local file. Empty
        for anything else. Leaves out names that occur several times in an archive.

        Raises:
            SceneError: the files cannot be listed.
        """
        if self.kind in (FOLDER, ARCHIVE):
            return list_files(self.location)
        if self.kind == FILE and not self.location.is_remote and self.location.path.is_file():
            return list_files(Location(str(self.location.path.parent)))
        return {}

    @cached_property
    def tree(self) -> Mapping[str, Location]:
        """Path with ``/`` -> location of all files in a folder, with subfolders, or an archive.

        Empty for anything else.

        Raises:
            SceneError: the files cannot be listed, or are too many.
        """
        return list_tree(self.location) if self.kind in (FOLDER, ARCHIVE) else {}

    @property
    def item(self) -> StacItem | None:
        """The STAC item; None for other kinds, or if the item cannot be read."""
        return self._item[0]

    @property
    def no_item(self) -> SceneError | None:
        """Why an apparent STAC item cannot be read; None otherwise."""
        return self._item[1]

    @cached_property
    def _item(self) -> tuple[StacItem | None, SceneError | None]:
        if self.kind != ITEM:
            return None, None
        try:
            return read_item(self.location), None
        except SceneError as error:
            return None, error

    def read(self, location: Location, *, most: int = MOST_BYTES) -> bytes:
        """Return the content of a metadata file: local, remote or in an archive.

        Raises:
            SceneError: the file cannot be read, or has more than `most` bytes.
        """
        return read_file(location, most=most)


def _kind(location: Location) -> str:
    if location.in_memory:
        return FILE
    name = location.name.lower()
    if name.endswith((".json", ".geojson")) and not name.endswith("_mtl.json"):  # Landsat's own
        return ITEM
    if location.is_remote:
        if _ITEM_URL.search(location.address.partition("?")[0]):
            return ITEM
        return ARCHIVE if is_archive(location) else FILE
    if location.path.is_dir():
        return FOLDER
    return ARCHIVE if is_archive(location) else FILE
