"""Parts: files of a product that are given as scenes, each of which stands for the product."""

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
    """The name of the product that a local file is a part of; empty where it is none.

    What is wrong with it is said when it is opened.
    """
    if location.is_remote or location.in_memory or is_archive(location):
        return ""
    if not location.path.is_file() or location.name.lower().endswith(".geojson"):
        return ""
    with suppress(GeosrsegError, OSError):
        if product := find_product(location):
            return "" if _is_item(location) else product.name
    return ""


def one_part_each(scenes: Iterable[T]) -> list[T]:
    """The scenes, but of the files of one product only the first."""
    found: dict[object, T] = {}
    for number, scene in enumerate(scenes):
        location = Location.of(scene)
        product = product_of_part(location)
        key = (location.path.absolute().parent, product) if product else number
        found.setdefault(key, scene)
    return list(found.values())


def _is_item(location: Location) -> bool:
    return location.name.lower().endswith(".json") and not location.name.upper().endswith(
        "_MTL.JSON"
    )
