"""Landsat items: builds a product from its STAC item.

Recognises the asset keys of USGS, the Planetary Computer and Earth Search (``blue``, ``nir08``,
``qa_pixel`` ...), those of older items (``SR_B2``), and the common names of the `eo` extension.
"""

import re

from geosrseg.core.domain import SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.band_names import canonical_name
from geosrseg.raster.landsat.flags import landsat_flags
from geosrseg.raster.landsat.mtl import Mtl
from geosrseg.raster.landsat.mtl_values import grid_of_corners, read_mtl, reflectance_scales
from geosrseg.raster.landsat.product_id import ProductId
from geosrseg.raster.sensors.product import SensorBand, SensorProduct
from geosrseg.raster.sensors.stac_item import StacAsset, StacItem
from geosrseg.raster.storage.location import Location

_NUMBERED = re.compile(r"(?:sr_)?b(\d)", re.IGNORECASE)


def item_product(item: StacItem) -> SensorProduct | None:
    """Return the product that an item describes; None if the product is not Landsat's.

    Raises:
        SceneError: the product is of another collection, or its metadata is wrong.
    """
    product = _product_id(item)
    if product is None:
        return None
    product.check_files(asset.location.name for asset in item.assets)
    grid = _grid(item, product)
    mtl = _mtl(product, item) if product.level == 1 or grid is None else None
    scales = reflectance_scales(product, mtl)
    found = {_band_name(asset, product): asset for asset in reversed(item.assets)}
    flags = landsat_flags(product, _location("qa_pixel", item), _location("qa_radsat", item))
    return SensorProduct(
        name=product.text,
        title=product.title,
        bands=tuple(
            _band(number, name, found.get(name), product, scales[name])
            for name, number in product.numbers.items()
        ),
        flags=tuple(flags),
        flags_file=f"{product.text}_QA_PIXEL.TIF",
        fill=0,
        reflectance=SURFACE if product.level == 2 else TOP_OF_ATMOSPHERE,
        taken=product.taken,
        grid=grid_of_corners(mtl) if grid is None and mtl is not None else grid,
        found=tuple(asset.key for asset in item.assets),
    )


def _product_id(item: StacItem) -> ProductId | None:
    """Find the product in the item's id, or in the names of its files."""
    names = [item.id, *(asset.location.name for asset in item.assets)]
    return next(filter(None, map(ProductId.find, names)), None)


def _band_name(asset: StacAsset, product: ProductId) -> str:
    """Return the name of the band that an asset holds, or the asset's key."""
    numbered = _NUMBERED.fullmatch(asset.key)
    if numbered:
        names = {str(number): name for name, number in product.numbers.items()}
        return names.get(numbered.group(1), asset.key)
    keys = [asset.key, *asset.common_names]
    return next((n for n in map(canonical_name, keys) if n in product.numbers), asset.key)


def _band(
    number: int, name: str, asset: StacAsset | None, product: ProductId, scale: tuple[float, float]
) -> SensorBand:
    if asset is not None and product.level == 2:
        stated = asset.stated("scale"), asset.stated("offset")
        scale = (
            scale[0] if stated[0] is None else stated[0],
            scale[1] if stated[1] is None else stated[1],
        )
    return SensorBand(
        number=number,
        name=name,
        location=None if asset is None else asset.location,
        file=product.band_file(number),
        scale=scale[0],
        offset=scale[1],
    )


def _location(key: str, item: StacItem) -> Location | None:
    return next((asset.location for asset in item.assets if asset.key.lower() == key), None)


def _mtl(product: ProductId, item: StacItem) -> Mtl | None:
    """Read the product's metadata; a remote file only for Level 1, which cannot do without it."""
    for suffix in (".TXT", ".JSON", ".XML"):
        for asset in item.assets:
            is_mtl = asset.location.name.upper() == f"{product.text}_MTL{suffix}"
            if is_mtl and not (asset.location.is_remote and product.level == 2):
                return read_mtl(asset.location)
    return None


def _grid(item: StacItem, product: ProductId) -> Grid | None:
    """Return the grid that the item states for its first band."""
    for asset in item.assets:
        if _band_name(asset, product) in product.numbers:
            return item.grid(asset)
    return None
