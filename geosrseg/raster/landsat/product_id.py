"""ProductId: parses the name of a Landsat product."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from geosrseg.core.text.day import parse_day
from geosrseg.errors import SceneError

_TM = {"blue": 1, "green": 2, "red": 3, "nir": 4, "swir1": 5, "swir2": 7}
_OLI = {"coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 5, "swir1": 6, "swir2": 7}

INSTRUMENTS = {
    **dict.fromkeys(("LT04", "LT05"), ("TM", _TM)),
    "LE07": ("ETM+", _TM),
    **dict.fromkeys(("LC08", "LC09", "LO08", "LO09"), ("OLI", _OLI)),
}
"""Platform -> the instrument that measures reflectance, and the numbers of its 30 m bands."""

_SCENE = re.compile(
    r"(?P<platform>L[A-Z]\d\d)_(?P<level>L[12][A-Z]{2})_\d{6}_(?P<day>\d{8})_\d{8}"
    r"_(?P<collection>\d\d)_(?:RT|T1|T2)(?![A-Z0-9])",
    re.IGNORECASE,
)
_TILE = re.compile(
    r"(?P<platform>L[A-Z]\d\d)_(?:AK|CU|HI)_\d{6}_(?P<day>\d{8})_\d{8}"
    r"_(?:C?(?P<collection>\d\d))(?:_V\d\d)?(?![A-Z0-9])",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"_(?:(?:SR_|TOA_|ST_)?(?:B\d{1,2}|QA_AEROSOL|QA_PIXEL|QA_RADSAT|QA)\.TIF|MTL\.(?:TXT|JSON|XML))",
    re.IGNORECASE,
)

_TOA, _SURFACE = (re.compile(rf"_{kind}_B\d", re.IGNORECASE) for kind in ("TOA", "SR"))


@dataclass(frozen=True, slots=True)
class ProductId:
    """The name of a scene's product, or of a tile of U.S. Analysis Ready Data.

    Such as LC08_L2SP_204023_20200927_20201006_02_T1, or LC08_CU_003008_20161026_20210502_02.

    Attributes:
        platform: sensor and satellite, such as LC08.
        level: 1 or 2.
        taken: acquisition day; None if the name holds no valid day.
        is_tile: True for a tile of Analysis Ready Data.
    """

    text: str
    platform: str
    level: int
    taken: date | None
    is_tile: bool = False

    @classmethod
    def find(cls, text: str) -> "ProductId | None":
        """Parse the first product name in a text, such as a file's name.

        Raises:
            SceneError: the product is of another collection or of an unsupported sensor.
        """
        found = _SCENE.search(text)
        is_tile = found is None
        found = found or _TILE.search(text)
        if found is None:
            return None
        product, platform = found.group().upper(), found["platform"].upper()
        if found["collection"] != "02":
            raise SceneError(
                f"{product} is of Collection {int(found['collection'])}, expected Collection 2: "
                "get it again, USGS has reprocessed all scenes"
            )
        if platform not in INSTRUMENTS:
            raise SceneError(
                f"{product} is of {platform}, expected reflectance from Landsat 4 to 9: "
                f"{', '.join(INSTRUMENTS)}"
            )
        level = 2 if is_tile else int(found["level"][1])
        return cls(product, platform, level, parse_day(found["day"], "%Y%m%d"), is_tile)

    @classmethod
    def of_part(cls, name: str) -> "ProductId | None":
        """Return the product to which a file belongs; None if the file is not part of a product.

        Raises:
            SceneError: see `find`.
        """
        found = _SCENE.match(name) or _TILE.match(name)
        if found is None or not _TAIL.fullmatch(name, found.end()):
            return None
        return cls.find(name)

    @property
    def numbers(self) -> Mapping[str, int]:
        """The sensor's number of each band."""
        return INSTRUMENTS[self.platform][1]

    @property
    def title(self) -> str:
        """Product type, for messages."""
        sensor = INSTRUMENTS[self.platform][0]
        kind = "Analysis Ready Data" if self.is_tile else f"Level {self.level}"
        return f"Landsat {int(self.platform[2:])} {sensor}, Collection 2 {kind}"

    def check_files(self, names: Iterable[str]) -> None:
        """Refuse the files of a tile that hold only top-of-atmosphere reflectance.

        Raises:
            SceneError: `names` include top-of-atmosphere but no surface reflectance.
        """
        names = [name for name in names if self.is_tile and name.upper().startswith(self.text)]
        toa = sorted(name for name in names if _TOA.match(name, len(self.text)))
        if toa and not any(_SURFACE.match(name, len(self.text)) for name in names):
            raise SceneError(
                f"{toa[0]} is a tile's top-of-atmosphere reflectance, which is not supported "
                "because no file states its scale: get the surface reflectance, "
                f"{self.text}_SR.tar"
            )

    def band_file(self, number: int) -> str:
        """Return the name of a band's file."""
        return f"{self.text}_{'SR_' * (self.level == 2)}B{number}.TIF"
