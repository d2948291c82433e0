"""Metadata of a Sentinel-2 product: parses its MTD file.

Reflectance = (number + offset) / quantification value: Sentinel-2 Products Specification
Document. Offsets exist since processing baseline 04.00.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from geosrseg.core.text.numerals import parse_integer, parse_number, shown
from geosrseg.core.text.xml_text import local_name, parse_xml
from geosrseg.errors import SceneError
from geosrseg.raster.sentinel2.bands import IDS, OFFSET_SINCE

MOST_BYTES = 2**22
"""Largest MTD file accepted; a typical one has 60 kB."""

_QUANTIFICATION = (
    "BOA_QUANTIFICATION_VALUE",
    "L2A_BOA_QUANTIFICATION_VALUE",  # Level-2Ap: baselines 02.04 to 02.07
    "QUANTIFICATION_VALUE",
)
_OFFSETS = ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Contents of an MTD file.

    Attributes:
        satellite: such as Sentinel-2A.
        level: ``1C`` or ``2A``.
        baseline: version of ESA's processor.
        taken: acquisition day.
        scale: reflectance per digital number.
        offsets: band id -> reflectance of digital number 0.
    """

    name: str
    satellite: str
    level: str
    baseline: str
    taken: date
    scale: float
    offsets: dict[str, float]

    @property
    def title(self) -> str:
        """Product type, for messages."""
        return f"{self.satellite} MSI, Level {self.level}, baseline {self.baseline}"


def parse_metadata(content: bytes) -> Metadata:
    """Parse a product's MTD file.

    Raises:
        SceneError: the file lacks what reflectance needs, or is no MTD file.
    """
    try:
        return _parsed(content)
    except ValueError as error:
        raise SceneError(f"its MTD file cannot be read ({error}): get the product again") from error


def _parsed(content: bytes) -> Metadata:
    texts: dict[str, str] = {}
    offsets: dict[str, float] = {}
    for element in parse_xml(content).iter():
        name, text = local_name(element), (element.text or "").strip()
        texts.setdefault(name, text)
        if name in _OFFSETS:
            number = parse_integer(element.get("band_id", ""), "band_id", high=len(IDS) - 1)
            offsets[IDS[number]] = parse_number(text, name)
    quantification = next((texts[key] for key in _QUANTIFICATION if key in texts), "")
    value = parse_number(quantification, _QUANTIFICATION[-1])
    if value <= 0:
        raise ValueError(f"its quantification value is {value:g}")
    baseline = _text(texts, "PROCESSING_BASELINE")
    level = re.match(r"Level-(1C|2A)", _text(texts, "PROCESSING_LEVEL"))
    if level is None:
        raise ValueError(f"its level is {shown(texts['PROCESSING_LEVEL'])}, expected 1C or 2A")
    missing = [band for band in IDS if band not in offsets]
    if parse_number(baseline, "the baseline") >= OFFSET_SINCE and missing:
        raise ValueError(
            f"it has no offset of {missing[0]}, which baseline {shown(baseline)} requires"
        )
    return Metadata(
        name=_text(texts, "PRODUCT_URI").removesuffix(".SAFE"),
        satellite=_text(texts, "SPACECRAFT_NAME"),
        level=level[1],
        baseline=baseline,
        taken=datetime.fromisoformat(_text(texts, "PRODUCT_START_TIME")[:19]).date(),
        scale=1 / value,
        offsets={band: offsets.get(band, 0.0) / value for band in IDS},
    )


def _text(texts: dict[str, str], key: str) -> str:
    """Return the text of an element, or of its Level 2A twin, as one line of at most 200."""
    for name in (key, f"{key}_2A"):
        if texts.get(name):
            return " ".join(texts[name].split())[:200]
    raise ValueError(f"it has no {key}")
