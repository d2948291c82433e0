"""STAC items: reads the assets of a product and the metadata of each.

Supports versions 1.0 and 1.1: scale and offset of the `raster` extension, common names of the
`eo` extension, the grid of the `projection` extension, whose origin is a pixel's corner.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from affine import Affine

from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.numerals import finite, shown, whole
from geosrseg.core.text.record import Record
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.crs_text import read_crs
from geosrseg.raster.storage.location import REMOTE, Location, bare_url
from geosrseg.raster.storage.product_archive import read_file

MOST_BYTES = 2**22
"""Largest item accepted."""

MAX_SIDE = 2**31 - 1
"""Most rows or columns of a GDAL dataset."""


@dataclass(frozen=True, slots=True)
class StacAsset:
    """One file of an item.

    Attributes:
        key: key of the asset in the item.
        fields: the asset's JSON object.
    """

    key: str
    location: Location
    fields: Mapping[str, Any]

    def band_fields(self) -> Iterator[Mapping[str, Any]]:
        """Yield the objects that may describe the asset's only band, in any version of STAC."""
        yield self.fields
        for key in ("bands", "eo:bands", "raster:bands"):
            match self.fields.get(key):
                case [dict() as band]:
                    yield band

    @property
    def common_names(self) -> Iterator[str]:
        """Names and common names of the asset's band."""
        for band in self.band_fields():
            for key in ("name", "common_name", "eo:common_name"):
                if key in band:
                    yield str(band[key])

    def stated(self, key: str) -> float | None:
        """Return ``scale`` or ``offset``; None if the item does not state it.

        Raises:
            SceneError: the value is not finite.
        """
        for band in self.band_fields():
            for name in (key, f"raster:{key}"):
                value = band.get(name)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    try:
                        return finite(value, f"the {key} of the asset {shown(self.key)}")
                    except ValueError as error:
                        raise SceneError(f"{error}: get the item again") from error
        return None


@dataclass(frozen=True, slots=True)
class StacItem:
    """A STAC item.

    Attributes:
        collection: id of the collection, or empty.
        properties: metadata that applies to all assets.
    """

    id: str
    collection: str
    properties: Mapping[str, Any]
    assets: tuple[StacAsset, ...]

    @property
    def taken(self) -> date | None:
        """Acquisition day; None if the item states none."""
        with suppress(ValueError):
            return datetime.fromisoformat(str(self.properties.get("datetime"))).date()
        return None

    def grid(self, asset: StacAsset) -> Grid | None:
        """Return an asset's grid from the `projection` extension; None if it is not stated.

        Fields of the asset override those of the item.
        """
        fields = {**self.properties, **asset.fields}
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


def read_item(location: Location) -> StacItem:
    """Read an item.

    Raises:
        SceneError: the file cannot be read, or is not a STAC item.
    """
    content = read_file(location, most=MOST_BYTES)
    try:
        item = Record(parse_json(content))
        _check_item(item)
        assets = Record(item.mapping("assets"))
        return StacItem(
            id=str(item.values.get("id", "")),
            collection=str(item.values.get("collection") or ""),
            properties=item.values.get("properties") or {},
            assets=tuple(
                _asset(key, Record(assets.mapping(key)), location) for key in assets.values
            ),
        )
    except ValueError as error:
        raise SceneError(f"it is not a STAC item ({error}): give an item's JSON") from error


def _check_item(item: Record) -> None:
    """Refuse other kinds of GeoJSON and STAC.

    Raises:
        ValueError: the properties are not an object.
        SceneError: the document is a collection or a catalogue.
    """
    kind, features = item.values.get("type"), item.values.get("features")
    if kind == "FeatureCollection":
        count = len(features) if isinstance(features, list) else 0
        raise SceneError(
            f"it is a collection of {count} items, such as a search result: give the JSON of one "
            "item"
        )
    if kind in ("Collection", "Catalog"):
        raise SceneError(f"it is a STAC {kind}: give the JSON of one of its items")
    if not isinstance(item.values.get("properties", {}), dict | None):
        raise ValueError("its properties are not a JSON object")


def _asset(key: str, fields: Record, item: Location) -> StacAsset:
    href = fields.text("href")
    match fields.values.get("alternate"):
        # Users who pay for requests can read the bucket; USGS's https needs a login.
        case {"s3": {"href": str(paid)}} if "AWS_REQUEST_PAYER" in os.environ:
            href = paid
    return StacAsset(key, _resolved(href, item), fields.values)


def _resolved(href: str, item: Location) -> Location:
    """Resolve an asset's address; a remote item may not name local files."""
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
