"""HLS: NASA's harmonized Landsat and Sentinel-2 products of 30 m, version 2.

A folder holds one file a band and the flags Fmask. Reflectance = 0.0001 · number, -9999 is
fill: HLS user guide, version 2.0. The narrow near infrared of Sentinel-2 (B8A) is the band that
the harmonization takes for Landsat's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from geosrseg.errors import SceneError

SCALE = 1e-4
FILL_VALUE = -9999

_LANDSAT = {"coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 5, "swir1": 6, "swir2": 7}
_SENTINEL = {"coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 8, "swir1": 11, "swir2": 12}
NUMBERS = {"L": _LANDSAT, "S": _SENTINEL}

_ID = re.compile(
    r"HLS\.(?P<sensor>[LS])30\.T\d\d[A-Z]{3}\.\d{7}T\d{6}\.v(?P<version>\d+)\.\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class HlsId:
    """A product's name, such as HLS.L30.T36NYN.2020115T074512.v2.0.

    Attributes:
        text: the name.
        sensor: ``L`` for Landsat, ``S`` for Sentinel-2.
    """

    text: str
    sensor: str

    level = 2
    fill_value = FILL_VALUE
    fill_flag = 0
    flags_file_ending = ".FMASK.TIF"

    @classmethod
    def find(cls, text: str) -> "HlsId | None":
        """The product's name at the beginning of a file's name.

        Raises:
            SceneError: it is of an older version.
        """
        found = _ID.match(text)
        if found is None:
            return None
        if int(found["version"]) < 2:
            raise SceneError(
                f"{found.group()} is of version {found['version']}, expected 2: get it again"
            )
        return cls(found.group(), found["sensor"].upper())

    @property
    def numbers(self) -> Mapping[str, int]:
        """The sensor's number of each band; Sentinel-2's 8 stands for B8A."""
        return NUMBERS[self.sensor]

    @property
    def masks(self) -> Mapping[str, int]:
        """Bits of Fmask by the name of what they mark; cloud with what lies beside it."""
        return {"cloud": 1 << 1 | 1 << 2, "shadow": 1 << 3, "snow": 1 << 4}

    @property
    def title(self) -> str:
        """What kind of product it is."""
        return f"HLS version 2, {'Landsat' if self.sensor == 'L' else 'Sentinel-2'}"

    def band_file(self, number: int) -> str:
        """The name of a band's file."""
        name = "8A" if self.sensor == "S" and number == 8 else f"{number:02}"
        return f"{self.text}.B{name}.tif"
