"""Landsat: Collection 2 products of Landsat 4 to 9: scenes of Level 1 and 2, ARD tiles.

A product is a set of single-band files whose names start with the product's. The Collection 2
data format control books (LSDS-1618, LSDS-1619, LSDS-1328, LSDS-1330, LSDS-1435 for tiles)
define the digital numbers:

- Level 2 and tiles: surface reflectance = scale · DN + offset, the same for every product;
- Level 1: top-of-atmosphere reflectance = (scale · DN + offset) / sin(sun elevation), all
  from the product's MTL;
- DN 0 is fill.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from geosrseg.core.domain import SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.errors import SceneError
from geosrseg.raster.landsat.flags import landsat_flags
from geosrseg.raster.landsat.landsat_item import item_product
from geosrseg.raster.landsat.mtl import Mtl
from geosrseg.raster.landsat.mtl_values import grid_of_corners, read_mtl, reflectance_scales
from geosrseg.raster.landsat.product_id import ProductId
from geosrseg.raster.sensors.product import SensorBand, SensorProduct
from geosrseg.raster.sensors.sensor_input import ARCHIVE, FILE, SensorInput
from geosrseg.raster.storage.location import Location

FILL_VALUE = 0

_PRE_COLLECTION = re.compile(r"L[A-Z]\d{14}[A-Z]{3}\d\d_(?:B\d|MTL)", re.IGNORECASE)


class Landsat:
    """Finds a product by the names of its files, or by its STAC item."""

    help = "Landsat Collection 2"

    def find(self, given: SensorInput) -> SensorProduct | None:
        """Find the product given; one of its files stands for the whole product.

        Raises:
            SceneError: there are several products, the product is of another collection, or its
                metadata is wrong.
        """
        if given.item is not None:
            return item_product(given.item)
        if given.kind == FILE:
            product = ProductId.of_part(given.location.name)
            if product is None or not given.files:
                return None
        else:
            product = only_product(given.files)
            _check_once(given)
        if product is None:
            return None
        names = {name.upper(): place for name, place in given.files.items()}
        return _product(product, {n: p for n, p in names.items() if n.startswith(product.text)})


def _check_once(given: SensorInput) -> None:
    """Refuse an archive with two product files of the same name."""
    names = [PurePosixPath(path).name for path in given.tree] if given.kind == ARCHIVE else []
    for name, count in Counter(names).items():
        if count > 1 and ProductId.of_part(name):
            raise SceneError(f"it holds {name!r} twice: expected one product")


def only_product(names: Mapping[str, Location]) -> ProductId | None:
    """Return the product to which files belong, by their names.

    Raises:
        SceneError: there are several products, or one predates the Collections.
    """
    found = {product.text: product for product in map(ProductId.find, names) if product}
    if len(found) > 1:
        raise SceneError(several(sorted(found)))
    if old := next(filter(_PRE_COLLECTION.match, names if not found else ()), None):
        raise SceneError(
            f"{old} is from before the Collections, expected Collection 2: get it again, USGS has "
            "reprocessed all scenes"
        )
    return next(iter(found.values()), None)


def several(names: Sequence[str]) -> str:
    """Return the message about a folder with several products."""
    return (
        f"it holds {len(names)} products, expected one: put {' and '.join(names)} into separate "
        "folders"
    )


def _product(product: ProductId, files: Mapping[str, Location]) -> SensorProduct:
    product.check_files(files)
    mtl = _read_mtl(product, files)
    scales = reflectance_scales(product, mtl)
    qa_pixel = f"{product.text}_QA_PIXEL.TIF"
    return SensorProduct(
        name=product.text,
        title=product.title,
        bands=tuple(
            SensorBand(
                number=number,
                name=name,
                location=files.get(product.band_file(number)),
                file=product.band_file(number),
                scale=scales[name][0],
                offset=scales[name][1],
            )
            for name, number in product.numbers.items()
        ),
        flags=tuple(
            landsat_flags(product, files.get(qa_pixel), files.get(f"{product.text}_QA_RADSAT.TIF"))
        ),
        flags_file=qa_pixel,
        fill=FILL_VALUE,
        reflectance=SURFACE if product.level == 2 else TOP_OF_ATMOSPHERE,
        taken=product.taken,
        grid=None if mtl is None else grid_of_corners(mtl),
        found=tuple(place.name for place in files.values()),
    )


def _read_mtl(product: ProductId, files: Mapping[str, Location]) -> Mtl | None:
    if product.is_tile:  # all tiles share one scale; the MTL's grid is that of the scene
        return None
    for suffix in (".TXT", ".JSON", ".XML"):
        if place := files.get(f"{product.text}_MTL{suffix}"):
            return read_mtl(place)
    return None
