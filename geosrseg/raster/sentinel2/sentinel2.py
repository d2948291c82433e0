"""Sentinel-2: Level 1C and 2A, as a SAFE folder, its archive, or a STAC item.

Files are found by name; paths in the metadata are not followed. ESA's own products hold
JPEG 2000, with 0 for nodata. Bands have pixels of 10, 20 and 60 m, which
`sensors.product_header` brings to one grid.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from geosrseg.core.domain import SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.errors import SceneError
from geosrseg.raster.header.quality import Marks
from geosrseg.raster.sensors.product import JPEG_2000, SensorBand, SensorFlags, SensorProduct
from geosrseg.raster.sensors.sensor_input import FILE, SensorInput
from geosrseg.raster.sentinel2.bands import BAND_FILE, COARSER, FILL, MASKS, NAMES, NUMBERS
from geosrseg.raster.sentinel2.metadata import MOST_BYTES, Metadata, parse_metadata
from geosrseg.raster.sentinel2.sentinel2_item import item_product
from geosrseg.raster.storage.location import Location

_METADATA = re.compile(r"(?:[^/]+/)?MTD_MSIL(?:1C|2A)\.xml", re.IGNORECASE)
_GRANULE = re.compile(r"(?:[^/]+/)?GRANULE/([^/]+)/(.+)", re.IGNORECASE)
_CLASSES = re.compile(r"(?:.*_)?MSK_CLASSI_B00\.jp2", re.IGNORECASE)
_PARTS = ("MTD_MSIL1C.XML", "MTD_MSIL2A.XML", "MANIFEST.SAFE")

L1C_MASKS = ("cloud", "cirrus", "snow")
"""Masks in the bands of MSK_CLASSI_B00: opaque cloud, cirrus, snow and ice."""


class Sentinel2:
    """Finds a product by the names of its files, or by its STAC item."""

    help = "Sentinel-2"

    def find(self, given: SensorInput) -> SensorProduct | None:
        """Find the product given; its metadata file stands for the whole product.

        Raises:
            SceneError: the metadata is missing or wrong, or there are several granules.
        """
        if given.item is not None:
            return item_product(given.item)
        if given.kind == FILE:
            local = not given.location.is_remote and not given.location.in_memory
            if not local or given.location.name.upper() not in _PARTS:
                return None
            given = SensorInput(Location(str(given.location.path.parent)))
        if not _looks_like_safe(given):
            return None
        return _product(given)


def _looks_like_safe(given: SensorInput) -> bool:
    """True for a product; lists subfolders only where a name already suggests one."""
    if given.location.name.upper().endswith(".SAFE") or given.kind == "archive":
        return any(_METADATA.fullmatch(path) or _GRANULE.match(path) for path in given.tree)
    return any(name.upper() in _PARTS for name in given.files)


def _product(given: SensorInput) -> SensorProduct:
    found = [place for path, place in given.tree.items() if _METADATA.fullmatch(path)]
    if len(found) != 1:
        raise SceneError(
            f"it has {len(found)} files MTD_MSIL1C.xml or MTD_MSIL2A.xml, expected one, which "
            "defines its numbers: get the product again"
        )
    metadata = parse_metadata(given.read(found[0], most=MOST_BYTES))
    files = _granule(given.tree)
    bands = _finest(files)
    return SensorProduct(
        name=metadata.name,
        title=metadata.title,
        bands=tuple(
            SensorBand(
                number=NUMBERS[band],
                name=name,
                location=bands.get(band),
                file=f"..._{band}.jp2" if metadata.level == "1C" else f"..._{band}_*m.jp2",
                scale=metadata.scale,
                offset=metadata.offsets[band],
                driver=JPEG_2000,
            )
            for band, name in NAMES.items()
        ),
        flags=_flags(metadata, files, bands),
        flags_file="..._MSK_CLASSI_B00.jp2" if metadata.level == "1C" else "..._SCL_20m.jp2",
        fill=0,
        reflectance=SURFACE if metadata.level == "2A" else TOP_OF_ATMOSPHERE,
        taken=metadata.taken,
        coarser=COARSER,
        found=tuple(PurePosixPath(path).name for path in files if path.lower().endswith(".jp2")),
    )


def _granule(tree: Mapping[str, Location]) -> dict[str, Location]:
    """Return the files of the only granule, by path inside it."""
    found = {path: match for path in tree if (match := _GRANULE.fullmatch(path))}
    granules = sorted({match[1] for match in found.values()})
    if len(granules) != 1:
        raise SceneError(
            f"it has {len(granules)} granules, expected one: products from before December 2016 "
            "have several, get the product of a single tile"
        )
    return {match[2]: tree[path] for path, match in found.items()}


def _finest(files: Mapping[str, Location]) -> dict[str, Location]:
    """Return, for each band, the file with the smallest pixels."""
    sized: dict[str, tuple[int, Location]] = {}
    for path, place in files.items():
        match = BAND_FILE.fullmatch(PurePosixPath(path).name)
        if match and match["suffix"].lower() == "jp2" and path.upper().startswith("IMG_DATA/"):
            band, metres = match["band"].upper(), int(match["metres"] or 0)
            if band not in sized or metres < sized[band][0]:
                sized[band] = metres, place
    return {band: place for band, (_, place) in sized.items()}


def _flags(
    metadata: Metadata, files: Mapping[str, Location], bands: Mapping[str, Location]
) -> tuple[SensorFlags, ...]:
    if metadata.level == "2A":
        if "SCL" not in bands:
            return ()
        return (SensorFlags(location=bands["SCL"], masks=MASKS, fill=FILL, driver=JPEG_2000),)
    classes = [files[path] for path in files if _CLASSES.fullmatch(PurePosixPath(path).name)]
    return tuple(
        SensorFlags(location=place, masks={name: Marks(values=(1,))}, index=index, driver=JPEG_2000)
        for place in classes[:1]
        for index, name in enumerate(L1C_MASKS, start=1)
    )
