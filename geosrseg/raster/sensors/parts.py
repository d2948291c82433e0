"""Parts: recognises files given as scenes that stand for the same product."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from geosrseg.errors import GeosrsegError
from geosrseg.raster.sensors.recognition import find_product
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.product_archive import is_archive

T = TypeVar("T", str, Path, str | Path)


def product_of_part(location: Location) -> str:
    """Return the name of the product to which a local file belongs, or an empty text.

    Faults of the product are not reported here, but when it is opened.
    """
    return "" if _may_be_item(location) else _product(location)


def one_part_each(scenes: Iterable[T]) -> list[T]:
    """Drop all but the first of the files that belong to one product, and its item beside them."""
    found: dict[object, T] = {}
    for number, scene in enumerate(scenes):
        location = Location.of(scene)
        product = product_of_part(location)
        key = (location.path.absolute().parent, product) if product else number
        found.setdefault(key, scene)
    folders = {key[0] for key in found if isinstance(key, tuple)}

    def is_item_of_another(scene: T) -> bool:
        location = Location.of(scene)
        if location.is_remote or not _may_be_item(location):
            return False
        folder = location.path.absolute().parent
        return folder in folders and (folder, _product(location)) in found

    return [scene for scene in found.values() if not is_item_of_another(scene)]


def _may_be_item(location: Location) -> bool:
    name = location.name.lower()
    return name.endswith((".json", ".geojson")) and not name.endswith("_mtl.json")


def _product(location: Location) -> str:
    if location.is_remote or location.in_memory or is_archive(location):
        return ""
    with suppress(GeosrsegError, OSError):
        if location.path.is_file() and (product := find_product(location)):
            return product.name
    return ""
