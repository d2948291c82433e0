"""SensorInput: what a user gave as a scene, as sensors look at it."""

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
"""Of a file of metadata."""

_ITEM_URL = re.compile(r"/collections/[^/]+/items/[^/]+/?$")


@dataclass(frozen=True)
class SensorInput:
    """A folder, an archive, a STAC item or any other file.

    Attributes:
        location: where it is.
        kind: "folder", "archive", "item" or "file".
    """

    location: Location
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _kind(self.location))

    @cached_property
    def files(self) -> Mapping[str, Location]:
        """Own name -> location.

        Those are the files in the folder, without its subfolders, all of an archive, or those
        beside a local file, itself among them. Empty for anything else. Names that several files
        of an archive have are left out.

        Raises:
            SceneError: they cannot be listed.
        """
        if self.kind in (FOLDER, ARCHIVE):
            return list_files(self.location)
        if self.kind == FILE and not self.location.is_remote and self.location.path.is_file():
            return list_files(Location(str(self.location.path.parent)))
        return {}

    @cached_property
    def tree(self) -> Mapping[str, Location]:
        """Path with ``/`` -> location of all files in a folder or an archive.

        Those in subfolders too. Empty for anything else.

        Raises:
            SceneError: they cannot be listed, or are too many.
        """
        return list_tree(self.location) if self.kind in (FOLDER, ARCHIVE) else {}

    @property
    def item(self) -> StacItem | None:
        """The STAC item; None where it is none."""
        return self._item[0]

    @property
    def no_item(self) -> SceneError | None:
        """Why what looks like a STAC item is none."""
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
        """The content of a file of metadata, wherever it lies.

        Raises:
            SceneError: it cannot be read, or has more than `most` bytes.
        """
        return read_file(location, most=most)


def _kind(location: Location) -> str:
    if location.in_memory:
        return FILE
    if location.name.lower().endswith((".json", ".geojson")) and not _is_metadata(location.name):
        return ITEM
    if location.is_remote:
        if _ITEM_URL.search(location.address.partition("?")[0]):
            return ITEM
        return ARCHIVE if is_archive(location) else FILE
    if location.path.is_dir():
        return FOLDER
    return ARCHIVE if is_archive(location) else FILE


def _is_metadata(name: str) -> bool:
    """It is a Landsat product's own metadata, as JSON."""
    return name.upper().endswith("_MTL.JSON")
