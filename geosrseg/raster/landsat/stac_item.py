"""STAC: a Landsat product by its STAC item, which says where each band lies.

Read are the asset keys that USGS uses (``blue``, ``nir08``, ``qa_pixel`` ...), those of older
items (``SR_B2``), the common names of the `eo` extension, scale and offset of the `raster`
extension, and the grid of the `projection` extension, whose origin is a pixel's corner.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from affine import Affine

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import finite, shown, whole
from geosrseg.core.text.record import Record
from geosrseg.errors import SceneError
from geosrseg.raster.files.crs_text import read_crs
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.band_names import canonical_name
from geosrseg.raster.landsat.landsat import (
    Product,
    ProductBand,
    ProductId,
    grid_of_corners,
    read_mtl,
    reflectance_scales,
)
from geosrseg.raster.landsat.mtl import Mtl
from geosrseg.raster.storage.location import REMOTE, Location, bare_url
from geosrseg.raster.storage.product_archive import read_file

MOST_BYTES = 2**22
"""A larger file is no item."""

MAX_SIDE = 2**31 - 1
"""Rows or columns that GDAL can count."""

_NUMBERED = re.compile(r"(?:sr_)?b(\d)", re.IGNORECASE)
_METADATA = (".txt", ".json", ".xml")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of an item.

    Attributes:
        key: its key in the item.
        location: where it lies.
        fields: all that the item says of it.
    """

    key: str
    location: Location
    fields: Mapping[str, Any]

    def band_fields(self) -> Iterator[Mapping[str, Any]]:
        """What the item says of the asset's only band, in any version of the extensions."""
        yield self.fields
        for key in ("bands", "eo:bands", "raster:bands"):
            match self.fields.get(key):
                case [dict() as band]:
                    yield band


def open_item(location: Location) -> Product:
    """Find the product that an item describes.

    Raises:
        SceneError: it cannot be read, or is no item of a Landsat Collection 2 product.
    """
    content = read_file(location, most=MOST_BYTES)
    try:
        item = Record(parse_json(content))
        _check_item(item)
        assets = [_asset(key, fields, location) for key, fields in _fields(item)]
    except ValueError as error:
        raise SceneError(f"it is no STAC item ({error}): give a Landsat item's JSON") from error
    product = _product_id(item, assets)
    grid = _grid(item, assets, product)
    mtl = _mtl(product, assets) if product.level == 1 or grid is None else None
    scales = reflectance_scales(product, mtl)
    found = {_band_name(asset, product): asset for asset in reversed(assets)}
    return Product(
        id=product,
        bands=tuple(
            _band(number, name, found.get(name), product, scales[name])
            for name, number in product.numbers.items()
        ),
        qa_pixel=_location("qa_pixel", assets),
        qa_radsat=_location("qa_radsat", assets),
        grid=grid_of_corners(mtl) if grid is None and mtl is not None else grid,
        found=tuple(asset.key for asset in assets),
    )


def _check_item(item: Record) -> None:
    """Refuse other kinds of GeoJSON and STAC.

    Raises:
        SceneError: says what it is.
    """
    kind, features = item.values.get("type"), item.values.get("features")
    if kind == "FeatureCollection":
        count = len(features) if isinstance(features, list) else 0
        raise SceneError(
            f"it is a collection of {count} items, such as a search gives: give one item's own JSON"
        )
    if kind in ("Collection", "Catalog"):
        raise SceneError(f"it is a STAC {kind}: give the JSON of one of its items")


def _fields(item: Record) -> Iterator[tuple[str, Record]]:
    assets = Record(item.mapping("assets"))
    for key in assets.values:
        yield key, Record(assets.mapping(key))


def _asset(key: str, fields: Record, item: Location) -> Asset:
    href = fields.text("href")
    match fields.values.get("alternate"):
        # Who agrees to pay for requests reads from the bucket; USGS's https wants a login.
        case {"s3": {"href": str(paid)}} if "AWS_REQUEST_PAYER" in os.environ:
            href = paid
    return Asset(key, _resolved(href, item), fields.values)


def _resolved(href: str, item: Location) -> Location:
    """Where an asset lies; an item from elsewhere does not name files of this machine."""
    scheme = urlsplit(href).scheme
    if scheme in REMOTE:
        return Location(href)
    if item.is_remote:
        there = Location(urljoin(item.address, href))
        if not there.is_remote:
            raise SceneError(
                f"its asset {shown(bare_url(href))} is a local file, which a remote item may not "
                "name"
            )
        return there
    path = unquote(urlsplit(href).path) if scheme == "file" else href
    return Location(str(item.path.parent / path))


def _product_id(item: Record, assets: list[Asset]) -> ProductId:
    """The product by the item's own name, or by those of its files."""
    names = [str(item.values.get("id", "")), *(asset.location.name for asset in assets)]
    found = next(filter(None, map(ProductId.find, names)), None)
    if found is None:
        raise SceneError(
            f"the item {names[0]!r} is of no Landsat Collection 2 product: give a Landsat item, "
            f"or the address of a GeoTIFF"
        )
    return found


def _band_name(asset: Asset, product: ProductId) -> str:
    """The band that an asset holds, or its key."""
    numbered = _NUMBERED.fullmatch(asset.key)
    if numbered:
        names = {str(number): name for name, number in product.numbers.items()}
        return names.get(numbered.group(1), asset.key)
    keys = [asset.key]
    for band in asset.band_fields():
        keys += [str(band[key]) for key in ("common_name", "eo:common_name") if key in band]
    return next((n for n in map(canonical_name, keys) if n in product.numbers), asset.key)


def _band(
    number: int, name: str, asset: Asset | None, product: ProductId, scale: tuple[float, float]
) -> ProductBand:
    if asset is None:
        return ProductBand(number, name, None, *scale)
    if product.level == 2:
        scale = _stated(asset, "scale", scale[0]), _stated(asset, "offset", scale[1])
    return ProductBand(number, name, asset.location, *scale)


def _stated(asset: Asset, key: str, default: float) -> float:
    for band in asset.band_fields():
        for name in (key, f"raster:{key}"):
            value = band.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                try:
                    return finite(value, f"the {key} of the asset {shown(asset.key)}")
                except ValueError as error:
                    raise SceneError(f"{error}: get the item again") from error
    return default


def _location(key: str, assets: list[Asset]) -> Location | None:
    return next((asset.location for asset in assets if asset.key.lower() == key), None)


def _mtl(product: ProductId, assets: list[Asset]) -> Mtl | None:
    """The product's metadata; without need it is not fetched over the network."""
    for suffix in _METADATA:
        for asset in assets:
            name = asset.location.name
            is_mtl = name.upper() == f"{product.text}_MTL{suffix}".upper()
            if is_mtl and not (asset.location.is_remote and product.level == 2):
                return read_mtl(asset.location)
    return None


def _grid(item: Record, assets: list[Asset], product: ProductId) -> Grid | None:
    """The grid of the bands as the `projection` extension says it, for all or for each."""
    properties = item.values.get("properties")
    common = properties if isinstance(properties, dict) else {}
    for asset in assets:
        if _band_name(asset, product) in product.numbers:
            return _projection({**common, **asset.fields})
    return None


def _projection(fields: Mapping[str, Any]) -> Grid | None:
    code = fields.get("proj:code") or f"EPSG:{fields.get('proj:epsg')}"
    match fields.get("proj:shape"), fields.get("proj:transform"):
        case [[rows, cols], [_, _, _, _, _, _, *_] as transform]:
            with suppress(ValueError):
                height, width = (
                    whole(size, "proj:shape", low=1, high=MAX_SIDE) for size in (rows, cols)
                )
                numbers = [finite(value, "proj:transform") for value in transform[:6]]
                return Grid(read_crs(str(code)), Affine(*numbers), height, width)
    return None
