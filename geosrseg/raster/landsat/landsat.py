"""Landsat: the products of Collection 2, Level 1 and Level 2, of Landsat 4 to 9.

A product is a set of files of one band each, named after it. What the numbers in them mean
is in the Collection 2 data format control books (LSDS-1618, LSDS-1619, LSDS-1328, LSDS-1330):

- Level 2: surface reflectance = scale · DN + offset, the same for every product;
- Level 1: top-of-atmosphere reflectance = (scale · DN + offset) / sin(sun elevation), with
  the numbers of the product's MTL;
- DN 0 is fill.
"""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.text.numerals import parse_integer
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.bands import SceneBand
from geosrseg.raster.landsat.hls import SCALE as HLS_SCALE
from geosrseg.raster.landsat.hls import HlsId
from geosrseg.raster.landsat.mtl import MOST_BYTES, Mtl, parse_mtl
from geosrseg.raster.landsat.quality import FILL, MASKS
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.product_archive import list_files, read_file

FILL_VALUE = 0

FARTHEST = 1e8
"""Metres from a projection's origin: no place on the Earth is."""

LEVEL_2_SCALE, LEVEL_2_OFFSET = 2.75e-05, -0.2

_TM = {"blue": 1, "green": 2, "red": 3, "nir": 4, "swir1": 5, "swir2": 7}
_OLI = {"coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 5, "swir1": 6, "swir2": 7}

SENSORS = {
    **dict.fromkeys(("LT04", "LT05"), ("TM", _TM)),
    "LE07": ("ETM+", _TM),
    **dict.fromkeys(("LC08", "LC09", "LO08", "LO09"), ("OLI", _OLI)),
}
"""The sensor that measured a product's reflectance, and the numbers of its bands of 30 m."""

_ID = re.compile(
    r"(?P<platform>L[A-Z]\d\d)_(?P<level>L[12][A-Z]{2})_\d{6}_\d{8}_\d{8}_(?P<collection>\d\d)"
    r"_(?:RT|T1|T2)(?![A-Z0-9])",
    re.IGNORECASE,
)
_PRE_COLLECTION = re.compile(r"L[A-Z]\d{14}[A-Z]{3}\d\d_(?:B\d|MTL)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ProductId:
    """A product's name, such as LC08_L2SP_204023_20200927_20201006_02_T1.

    Attributes:
        text: the name.
        platform: sensor and satellite, such as LC08.
        level: 1 or 2.
    """

    text: str
    platform: str
    level: int

    @classmethod
    def find(cls, text: str) -> "ProductId | None":
        """The first product's name in a text, such as a file's name.

        Raises:
            SceneError: the product is of another collection, or of another sensor.
        """
        found = _ID.search(text)
        if found is None:
            return None
        product, platform = found.group().upper(), found["platform"].upper()
        if found["collection"] != "02":
            raise SceneError(
                f"{product} is of Collection {int(found['collection'])}, expected Collection 2: "
                f"get it again, USGS has reprocessed all scenes"
            )
        if platform not in SENSORS:
            raise SceneError(
                f"{product} is of {platform}, expected a product with reflectance of Landsat 4 "
                f"to 9: {', '.join(SENSORS)}"
            )
        return cls(product, platform, int(found["level"][1]))

    fill_value = FILL_VALUE
    fill_flag = FILL
    flags_file_ending = "_QA_PIXEL.TIF"

    @property
    def masks(self) -> Mapping[str, int]:
        """Bits of QA_PIXEL by the name of what they mark."""
        has_cirrus = "coastal" in self.numbers
        return {name: bits for name, bits in MASKS.items() if has_cirrus or name != "cirrus"}

    @property
    def numbers(self) -> Mapping[str, int]:
        """The sensor's number of each band."""
        return SENSORS[self.platform][1]

    @property
    def title(self) -> str:
        """What kind of product it is."""
        sensor = SENSORS[self.platform][0]
        return f"Landsat {int(self.platform[2:])} {sensor}, Collection 2 Level {self.level}"

    def band_file(self, number: int) -> str:
        """The name of a band's file."""
        return f"{self.text}_{'SR_' * (self.level == 2)}B{number}.TIF"


@dataclass(frozen=True, slots=True)
class ProductBand:
    """One band of a product.

    Attributes:
        number: as the sensor's bands are numbered.
        name: as `geosrseg.raster.header.band_names` has it.
        location: its file; None where it is missing.
        scale: reflectance per digital number.
        offset: reflectance of digital number 0.
    """

    number: int
    name: str
    location: Location | None
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class Product:
    """A product: which file is which band, and what its numbers mean.

    Attributes:
        id: its name, of Landsat or of HLS.
        bands: all that the sensor has.
        qa_pixel: the file of flags for fill, cloud, shadow and snow, or None.
        qa_radsat: the file of flags for saturation, or None.
        grid: what the metadata says of the bands' grid, or None.
        found: names of the files that there are, for messages.
    """

    id: ProductId | HlsId
    bands: tuple[ProductBand, ...]
    qa_pixel: Location | None
    qa_radsat: Location | None
    grid: Grid | None
    found: tuple[str, ...]

    @property
    def scene_bands(self) -> list[SceneBand]:
        """The bands by the sensor's numbers."""
        return [SceneBand(band.number, band.name) for band in self.bands]

    def band(self, number: int) -> ProductBand:
        """The band with a sensor's number.

        Raises:
            SceneError: its file is missing.
        """
        band = next(band for band in self.bands if band.number == number)
        if band.location is None:
            raise SceneError(
                f"the file of the band {band.name} is missing: expected "
                f"{self.id.band_file(number)}, found {listed(self.found)}"
            )
        return band


def open_product(location: Location) -> Product:
    """Find the product in a folder or a tar.

    Raises:
        SceneError: there is none, or more than one, or its metadata is wrong.
    """
    files = {name.upper(): place for name, place in list_files(location).items()}
    if harmonized := _only_hls(files):
        return _hls_product(harmonized, files)
    product = _only_product(files)
    mtl = _read_mtl(product, files)
    scales = reflectance_scales(product, mtl)
    return Product(
        id=product,
        bands=tuple(
            ProductBand(number, name, files.get(product.band_file(number)), *scales[name])
            for name, number in product.numbers.items()
        ),
        qa_pixel=files.get(f"{product.text}_QA_PIXEL.TIF"),
        qa_radsat=files.get(f"{product.text}_QA_RADSAT.TIF"),
        grid=None if mtl is None else grid_of_corners(mtl),
        found=tuple(place.name for place in files.values()),
    )


def _only_hls(files: Mapping[str, Location]) -> HlsId | None:
    found = {product.text: product for product in map(HlsId.find, files) if product}
    if len(found) > 1:
        raise SceneError(_several(sorted(found)))
    return next(iter(found.values()), None)


def _several(names: Sequence[str]) -> str:
    return (
        f"it holds {len(names)} products, expected one: put {' and '.join(names)} into folders of "
        "their own"
    )


def _hls_product(product: HlsId, files: Mapping[str, Location]) -> Product:
    return Product(
        id=product,
        bands=tuple(
            ProductBand(number, name, files.get(product.band_file(number).upper()), HLS_SCALE, 0.0)
            for name, number in product.numbers.items()
        ),
        qa_pixel=files.get(f"{product.text}{product.flags_file_ending}"),
        qa_radsat=None,
        grid=None,
        found=tuple(place.name for place in files.values()),
    )


def reflectance_scales(product: ProductId, mtl: Mtl | None) -> dict[str, tuple[float, float]]:
    """Scale and offset of each band, by its name.

    Raises:
        SceneError: Level 1 without an MTL, or an MTL without the numbers.
    """
    if mtl is None:
        if product.level == 2:
            return dict.fromkeys(product.numbers, (LEVEL_2_SCALE, LEVEL_2_OFFSET))
        raise SceneError(
            f"{product.text}_MTL.txt is missing: Level 1 becomes reflectance with the numbers "
            f"in it, put it beside the bands"
        )
    level_2 = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
    group = level_2 if product.level == 2 else "LEVEL1_RADIOMETRIC_RESCALING"
    factor = 1.0 if product.level == 2 else 1 / _sine_of_sun_elevation(mtl)
    return {
        name: (
            mtl.number(group, f"REFLECTANCE_MULT_BAND_{number}") * factor,
            mtl.number(group, f"REFLECTANCE_ADD_BAND_{number}") * factor,
        )
        for name, number in product.numbers.items()
    }


def grid_of_corners(mtl: Mtl) -> Grid | None:
    """The grid that the MTL's corners span, which are centres of pixels.

    None where its projection is another than UTM or Antarctica's polar stereographic, or
    its corners and its numbers of rows and columns do not fit each other.
    """
    group = "PROJECTION_ATTRIBUTES"
    corners = [
        mtl.number(group, f"CORNER_{corner}_PROJECTION_{axis}_PRODUCT")
        for corner, axis in (("UL", "X"), ("UL", "Y"), ("LR", "X"), ("LR", "Y"))
    ]
    left, top, right, bottom = corners
    size = mtl.number(group, "GRID_CELL_SIZE_REFLECTIVE")
    rows = int(mtl.number(group, "REFLECTIVE_LINES"))
    cols = int(mtl.number(group, "REFLECTIVE_SAMPLES"))
    crs = _crs(mtl)
    sides = (cols - 1) * size, (rows - 1) * size
    fits = (right - left, top - bottom) == sides and max(map(abs, corners)) < FARTHEST
    if crs is None or not fits or min(rows, cols) < 1 or size <= 0:
        return None
    transform = Affine(size, 0, left - size / 2, 0, -size, top + size / 2)
    return Grid(crs, transform, rows, cols)


def read_mtl(location: Location) -> Mtl:
    """Read a metadata file.

    Raises:
        SceneError: it cannot be read, or is none of Collection 2.
    """
    content = read_file(location, most=MOST_BYTES)
    return parse_mtl(content, suffix=PurePosixPath(location.name).suffix)


def listed(names: tuple[str, ...]) -> str:
    """File names in a message, at most a dozen."""
    more = (f"{len(names) - 12} more",) if len(names) > 12 else ()
    return ", ".join((*names[:12], *more)) or "no files"


def _only_product(files: Mapping[str, Location]) -> ProductId:
    found = {product.text: product for product in map(ProductId.find, files) if product}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise SceneError(_several(sorted(found)))
    if old := next(filter(_PRE_COLLECTION.match, files), None):
        raise SceneError(
            f"{old} is of a product from before the Collections, expected Collection 2: get it "
            f"again, USGS has reprocessed all scenes"
        )
    names = tuple(place.name for place in files.values())
    raise SceneError(
        f"it holds no product of Landsat Collection 2 or HLS, found {listed(names)}: give the "
        f"product's own folder or tar, or a GeoTIFF"
    )


def _read_mtl(product: ProductId, files: Mapping[str, Location]) -> Mtl | None:
    for suffix in (".TXT", ".JSON", ".XML"):
        if place := files.get(f"{product.text}_MTL{suffix}"):
            return read_mtl(place)
    return None


def _sine_of_sun_elevation(mtl: Mtl) -> float:
    elevation = mtl.number("IMAGE_ATTRIBUTES", "SUN_ELEVATION")
    if not 0 < elevation <= 90:
        raise SceneError(
            f"its sun elevation is {elevation:g} degrees, expected more than 0: a scene taken "
            f"at night has no reflectance"
        )
    return math.sin(math.radians(elevation))


def _crs(mtl: Mtl) -> CRS | None:
    attributes = mtl.groups.get("PROJECTION_ATTRIBUTES", {})
    projection, zone = attributes.get("MAP_PROJECTION"), attributes.get("UTM_ZONE", "")
    if attributes.get("DATUM") != "WGS84":
        return None
    # Zones are counted as northern ones, with negative northings south of the equator.
    if projection == "UTM":
        with suppress(ValueError):
            return CRS.from_epsg(32600 + parse_integer(zone, low=1, high=60))
    if projection == "PS" and attributes.get("TRUE_SCALE_LAT", "").startswith("-71"):
        return CRS.from_epsg(3031)
    return None
