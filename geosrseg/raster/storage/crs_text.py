"""Reads the text by which an untrusted file names its coordinate reference system.

GDAL accepts far more than codes and WKT: paths and URLs, which it opens, and PROJ strings. Both
WKT and PROJ strings can name grids, which PROJ opens when it transforms the first point. This
module accepts codes and WKT without grids, and refuses everything else before GDAL sees it.
"""

import re

import rasterio
from rasterio.crs import CRS

from geosrseg.core.text.numerals import shown
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason

MAX_LENGTH = 20_000
"""Characters accepted; the longest WKT in the EPSG registry has some 5,000."""

_CODE = re.compile(
    r"(?:urn:ogc:def:crs:(?P<urn>EPSG|OGC):[\w.]*:"
    r"|https?://www\.opengis\.net/def/crs/(?P<url>EPSG|OGC)/[\w.]+/"
    r"|(?P<short>EPSG|OGC):)(?P<code>\w{1,12})",
    re.ASCII | re.IGNORECASE,
)
_WKT = re.compile(
    r"(?:PROJ|GEOG|GEOD|GEOC|COMPD|BOUND|COMPOUND|PROJECTED|GEODETIC|GEOGRAPHIC|LOCAL|ENG|ENGINEERING"
    r"|VERT|VERTICAL|DERIVEDPROJ|DERIVED)_?(?:CRS|CS)\s*[\[(]",
    re.ASCII | re.IGNORECASE,
)
_FOLLOWED = re.compile(
    r"PARAMETERFILE|PROJ4_GRIDS|grids\s*=(?!\s*@null\b)|\bmodel\s*=|\bfile\s*=|\binit\s*=|\bpipeline\b"
    r"|\bcatalog\s*=|/vsi|\"\s*(?:file|https?|ftp)://",
    re.ASCII | re.IGNORECASE,
)
"""WKT that makes PROJ open a file: a datum shift grid, named directly or in a PROJ string."""

_UNKNOWN: tuple[type[Exception], ...] = (ValueError, *GDAL_ERRORS)


def read_crs(text: str) -> CRS:
    """Parse an EPSG or OGC code, or a WKT that names no file.

    Raises:
        ValueError: the text is neither, or PROJ does not know the CRS.
    """
    text = " ".join(text.split())
    found = _CODE.fullmatch(text)
    if found:
        authority = (found["urn"] or found["url"] or found["short"]).upper()
        return _parsed(f"{authority}:{found['code'].upper()}")
    if len(text) <= MAX_LENGTH and _WKT.match(text) and text.isprintable():
        check_wkt(text)
        return _parsed(text)
    raise ValueError(f"a CRS is a code of EPSG or OGC, or WKT, got {shown(text)}")


def check_wkt(wkt: str) -> None:
    """Raise ValueError for a WKT that makes PROJ open a file."""
    if found := _FOLLOWED.search(wkt):
        raise ValueError(f"its CRS names a file ({shown(found.group())}), which is not followed")


def _parsed(text: str) -> CRS:
    try:
        with rasterio.Env():  # silences GDAL's own messages
            return CRS.from_string(text) if text[:4] in ("EPSG", "OGC:") else CRS.from_wkt(text)
    except _UNKNOWN as error:
        raise ValueError(f"no CRS is called {shown(text)} ({reason(error)})") from error
