"""HLS: NASA's harmonized Landsat and Sentinel-2 products of 30 m, version 2.

A folder holds one file per band and the flags Fmask. Reflectance = 0.0001 · number, -9999 is
fill: HLS user guide, version 2.0. HLS matches Sentinel-2's narrow near infrared (B8A) to
Landsat's near infrared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from geosrseg.core.domain import SURFACE
from geosrseg.core.text.day import parse_day
from geosrseg.errors import SceneError
from geosrseg.raster.header.quality import Marks
from geosrseg.raster.landsat.landsat import several
from geosrseg.raster.sensors.product import SensorBand, SensorFlags, SensorProduct
from geosrseg.raster.sensors.sensor_input import FILE, SensorInput
from geosrseg.raster.storage.location import Location

SCALE = 1e-4
FILL_VALUE = -9999

_LANDSAT = {"coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 5, "swir1": 6, "swir2": 7}
_SENTINEL = {"coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 8, "swir1": 11, "swir2": 12}
NUMBERS = {"L": _LANDSAT, "S": _SENTINEL}

MASKS = {"cloud": Marks(1 << 1 | 1 << 2), "shadow": Marks(1 << 3), "snow": Marks(1 << 4)}
"""Bits of Fmask by mask name; cloud includes pixels adjacent to cloud or shadow."""

_ID = re.compile(
    r"HLS\.(?P<sensor>[LS])30\.T\d\d[A-Z]{3}\.(?P<day>\d{7})T\d{6}\.v(?P<version>\d+)\.\d+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\.(?:B\d[\dA]|Fmask|SAA|SZA|VAA|VZA)\.tif", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HlsId:
    """A product's name, such as HLS.L30.T36NYN.2020115T074512.v2.0.

    Attributes:
        sensor: ``L`` for Landsat, ``S`` for Sentinel-2.
        taken: acquisition day; None if the name holds no valid day.
    """

    text: str
    sensor: str
    taken: date | None

    @classmethod
    def find(cls, text: str) -> "HlsId | None":
        """Parse the product's name at the start of a file's name.

        Raises:
            SceneError: the product is of an older version.
        """
        found = _ID.match(text)
        if found is None:
            return None
        if int(found["version"]) < 2:
            raise SceneError(
                f"{found.group()} is of version {found['version']}, expected 2: get it again"
            )
        return cls(found.group(), found["sensor"].upper(), parse_day(found["day"], "%Y%j"))

    @property
    def numbers(self) -> Mapping[str, int]:
        """The sensor's number of each band; Sentinel-2's 8 means B8A."""
        return NUMBERS[self.sensor]

    @property
    def title(self) -> str:
        """Product type, for messages."""
        return f"HLS version 2, {'Landsat' if self.sensor == 'L' else 'Sentinel-2'}"

    def band_file(self, number: int) -> str:
        """Return the name of a band's file."""
        name = "8A" if self.sensor == "S" and number == 8 else f"{number:02}"
        return f"{self.text}.B{name}.tif"


class Hls:
    """Finds a product by the names of its files, or by its STAC item."""

    help = "HLS version 2"

    def find(self, given: SensorInput) -> SensorProduct | None:
        """Find the product given; one of its files stands for the whole product.

        Raises:
            SceneError: there are several products, or one is of an older version.
        """
        if given.item is not None:
            files = {asset.location.name: asset.location for asset in given.item.assets}
        elif given.kind == FILE and not _ID.match(given.location.name):
            return None
        else:
            files = dict(given.files)
        found = {product.text: product for product in map(HlsId.find, files) if product}
        if given.kind == FILE:
            match = _ID.match(given.location.name)
            is_part = match and _TAIL.fullmatch(given.location.name, match.end())
            part = match.group() if match and is_part else ""
            found = {name: product for name, product in found.items() if name == part}
        if len(found) > 1:
            raise SceneError(several(sorted(found)))
        return next((_product(product, files) for product in found.values()), None)


def _product(product: HlsId, given: Mapping[str, Location]) -> SensorProduct:
    files = {name.upper(): place for name, place in given.items()}
    flags = f"{product.text}.Fmask.tif"
    place = files.get(flags.upper())
    return SensorProduct(
        name=product.text,
        title=product.title,
        bands=tuple(
            SensorBand(
                number=number,
                name=name,
                location=files.get(product.band_file(number).upper()),
                file=product.band_file(number),
                scale=SCALE,
            )
            for name, number in product.numbers.items()
        ),
        flags=() if place is None else (SensorFlags(location=place, masks=MASKS),),
        flags_file=flags,
        fill=FILL_VALUE,
        reflectance=SURFACE,
        taken=product.taken,
        found=tuple(place.name for place in files.values()),
    )
