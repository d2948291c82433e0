"""Sentinel-2 items: builds a product from its STAC item.

Bands are found by file name (``B02.tif``, ``T31TFJ_20200101T104431_B02_10m.tif``), as Earth
Search, the Planetary Computer and the Copernicus Data Space all keep those. Asset keys are
ambiguous: ``nir08`` is one band of Landsat and another of Sentinel-2.
"""

import re
from contextlib import suppress

from geosrseg.core.domain import SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.core.text.numerals import parse_number
from geosrseg.errors import SceneError
from geosrseg.raster.sensors.product import (
    GEOTIFF,
    JPEG_2000,
    SensorBand,
    SensorFlags,
    SensorProduct,
)
from geosrseg.raster.sensors.stac_item import StacAsset, StacItem
from geosrseg.raster.sentinel2.bands import (
    BAND_FILE,
    COARSER,
    FILL,
    MASKS,
    NAMES,
    NUMBERS,
    OFFSET_SINCE,
)

SCALE, OFFSET = 1e-4, -0.1

_ID = re.compile(r"S2[A-D]_", re.IGNORECASE)
_LEVEL_1 = re.compile(r"MSIL1C|_L1C\b|sentinel-2-(?:c1-)?l1c", re.IGNORECASE)
_IN_NAME = re.compile(r"_N(\d\d)(\d\d)_")


def item_product(item: StacItem) -> SensorProduct | None:
    """Return the product that an item describes; None if the product is not Sentinel-2's.

    Raises:
        SceneError: the item does not say whether an offset was added to the numbers.
    """
    assets = _finest(item)
    if not _ID.match(item.id) or not assets.keys() & NAMES.keys():
        return None
    is_level_1 = bool(_LEVEL_1.search(item.id) or _LEVEL_1.search(item.collection))
    bands = []
    for band, name in NAMES.items():
        asset = assets.get(band)
        scale, offset = (SCALE, 0.0) if asset is None else _radiometry(item, asset)
        bands.append(
            SensorBand(
                number=NUMBERS[band],
                name=name,
                location=None if asset is None else asset.location,
                file=f"an asset of {band}",
                scale=scale,
                offset=offset,
                driver=GEOTIFF if asset is None else _driver(asset),
            )
        )
    scl = assets.get("SCL")
    flags = (
        ()
        if scl is None
        else (SensorFlags(location=scl.location, masks=MASKS, fill=FILL, driver=_driver(scl)),)
    )
    return SensorProduct(
        name=item.id,
        title=f"Sentinel-2{item.id[2].upper()} MSI, Level {'1C' if is_level_1 else '2A'}",
        bands=tuple(bands),
        flags=flags,
        flags_file="" if is_level_1 else "an asset of SCL",
        fill=0,
        reflectance=TOP_OF_ATMOSPHERE if is_level_1 else SURFACE,
        taken=item.taken,
        coarser=COARSER,
        found=tuple(asset.key for asset in item.assets),
    )


def _finest(item: StacItem) -> dict[str, StacAsset]:
    """Return, for each band, its asset: GeoTIFF before JPEG 2000, then the smallest pixels."""
    ranked: dict[str, tuple[tuple[bool, float], StacAsset]] = {}
    for asset in item.assets:
        match = BAND_FILE.fullmatch(asset.location.name)
        if match:
            band = match["band"].upper()
            rank = match["suffix"].lower() == "jp2", _metres(asset, match["metres"])
            if band not in ranked or rank < ranked[band][0]:
                ranked[band] = rank, asset
    return {band: asset for band, (_, asset) in ranked.items()}


def _metres(asset: StacAsset, in_name: str | None) -> float:
    if in_name:
        return float(in_name)
    match asset.fields.get("proj:transform"):
        case [int() | float() as size, *_]:
            return float(size)
    return 0.0


def _driver(asset: StacAsset) -> str:
    return JPEG_2000 if asset.location.name.lower().endswith(".jp2") else GEOTIFF


def _radiometry(item: StacItem, asset: StacAsset) -> tuple[float, float]:
    """Return scale and offset of an asset.

    Earth Search states the offset even if it has already subtracted it, which a property says,
    and for baselines without one.
    """
    stated = asset.stated("scale")
    scale = SCALE if stated is None else stated
    if item.properties.get("earthsearch:boa_offset_applied") is True:
        return scale, 0.0
    baseline = _baseline(item)
    if baseline is not None and baseline < OFFSET_SINCE:
        return scale, 0.0
    offset = asset.stated("offset")
    if offset is not None:
        return scale, offset
    if baseline is None:
        raise SceneError(
            "its item states neither an offset nor a processing baseline, so its reflectance is "
            "unknown: add `s2:processing_baseline` to its properties"
        )
    return scale, OFFSET


def _baseline(item: StacItem) -> float | None:
    for key in ("s2:processing_baseline", "processing:version"):
        with suppress(ValueError):
            return parse_number(str(item.properties.get(key, "")))
    for text in (str(item.properties.get("s2:product_uri", "")), f"{item.id}_"):
        if found := _IN_NAME.search(text):
            return float(f"{found[1]}.{found[2]}")
    return None
