"""Maps the band names of files and sensors to common names.

Names come in two kinds. A word such as ``nir08``, ``SWIR 1`` or ``SR_blue`` means the same band
everywhere. A number such as ``SR_B5`` or ``B08`` differs by sensor, so all numbers of a scene are
read as those of one sensor, or of none.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

WAVELENGTHS = {
    "coastal": (0.43, 0.45),
    "blue": (0.45, 0.52),
    "green": (0.52, 0.60),
    "red": (0.62, 0.69),
    "nir": (0.785, 0.90),  # Sentinel-2's third red edge is at 0.783
    "swir1": (1.55, 1.75),
    "swir2": (2.05, 2.35),
}
"""Band -> range of its centre, in micrometres."""

_WORDS = {
    "coastal": ("coastal", "coastalaerosol", "aerosol", "ultrablue"),
    "blue": ("blue", "blau", "bleu", "azul", "blu"),
    "green": ("green", "grun", "gruen", "vert", "verde"),
    "red": ("red", "rot", "rouge", "rojo", "vermelho", "rosso"),
    "nir": (
        *("nir", "nir08", "nir1", "nearinfrared", "nearir", "infrared", "nahesinfrarot", "pir"),
        *("procheinfrarouge", "infrarrojocercano", "infravermelhoproximo"),
    ),
    "nir narrow": ("nirnarrow", "narrownir", "nir8a", "nir09", "nir2"),
    "swir1": ("swir1", "swir16", "shortwaveinfrared1", "swir1600", "mir1"),
    "swir2": ("swir2", "swir22", "shortwaveinfrared2", "swir2200", "mir2"),
    "swir3": ("swir3",),
    "red edge 1": ("rededge1", "re1", "rededge071"),
    "red edge 2": ("rededge2", "re2", "rededge075"),
    "red edge 3": ("rededge3", "re3", "rededge078"),
    "pan": ("pan", "panchromatic"),
    "thermal": ("lwir", "lwir11", "lwir12", "thermal", "tir"),
    "cirrus": ("cirrus",),
}
ALIASES = {alias: name for name, aliases in _WORDS.items() for alias in aliases}
"""Lower-case word without blanks -> the band's name."""

_LANDSAT = ("blue", "green", "red", "nir", "swir1", "swir2")
_OLI = {"1": "coastal", **dict(zip("234567", _LANDSAT, strict=True))}
_REFLECTIVE_TM = dict(zip("123457", _LANDSAT, strict=True))


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a sensor numbers its bands.

    Attributes:
        name: the sensor's name.
        numbers: number, without leading zeros -> the band's name.
        others: further numbers that no model uses, in files other than surface reflectance.
        prefixes: required prefixes of the number; empty for a sensor with ordinary ones.
        products: first characters of its product names.
    """

    name: str
    numbers: Mapping[str, str]
    others: frozenset[str]
    prefixes: frozenset[str] = frozenset()
    products: tuple[str, ...] = ()


NUMBERINGS = (
    Numbering(
        "TM or ETM+", _REFLECTIVE_TM, frozenset("68"), products=("LT04", "LT05", "LE07", "LT4")
    ),
    Numbering(
        "OLI",
        _OLI,
        frozenset({"8", "9", "10", "11"}),
        products=("LC08", "LC09", "LO08", "LO09", "HLS.L30"),
    ),
    Numbering(
        "Sentinel-2 MSI",
        {
            **{"1": "coastal", "2": "blue", "3": "green", "4": "red", "5": "red edge 1"},
            **{"6": "red edge 2", "7": "red edge 3", "8": "nir", "8A": "nir narrow"},
            **{"11": "swir1", "12": "swir2"},
        },
        frozenset({"9", "10"}),
        products=("S2A", "S2B", "S2C", "HLS.S30"),
    ),
    Numbering(
        "MODIS",
        {
            **{"1": "red", "2": "nir", "3": "blue", "4": "green"},
            **{"5": "swir 1.2", "6": "swir1", "7": "swir2"},
        },
        frozenset(),
        prefixes=frozenset({"sur_refl"}),
        products=("MOD", "MYD"),
    ),
)

_SURFACE = ("sr", "sur_refl", "surface_reflectance")
_STATISTIC = r"(?:sr|toa|median|mean|masked|min|max|p\d{1,2}|band|reflectance|\d{2,3}m)"
"""Suffix of a band's name: how it was composed, or its resolution."""

_NUMBERED = re.compile(
    r"(?:.*?[_ ./-])??"  # a file name, or the number of an image in a stack
    r"(?:(?P<prefix>sr|st|toa|rho|refl|reflectance|sur_refl|surface[_ ]reflectance)[_ -]?)?"
    rf"(?:b|band)[_ -]?0?(?P<number>[1-9]\d?a?)(?:[_ -]{_STATISTIC})?(?:\.tiff?)?",
    re.IGNORECASE,
)
_AFFIXES = re.compile(
    r"^(?:sr|toa|boa|rho|nbart?|reflectance|surface[_ -]reflectance)[_ -]+"
    rf"|[_ -]+{_STATISTIC}$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"^(.*?)[(\[](.*)[)\]](.*)$")
_WAVELENGTH = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s*[-–]\s*(\d+(?:\.\d+)?))?\s*(nm|nanomet|[uµμ]m|micromet)",
    re.IGNORECASE,
)
_RED_EDGE = re.compile(r"red[\s_-]*edge", re.IGNORECASE)
_NUMBER_IN_TEXT = re.compile(r"\b(?:sr[_ -])?b(?:and)?[_ -]?\d{1,2}a?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """The bands of a scene as one sensor numbers them; unknown ones have empty names."""

    sensor: Numbering
    names: tuple[str, ...]


def canonical_name(name: str) -> str:
    """The name by which bands are compared: that of a known word, else `name` in lower case.

    A number beside the word is ignored: ``Band 4 (Red)`` is red. Without a word, a wavelength
    such as ``1610 nm`` decides; that of a red edge could seem red or near infrared.
    """
    for text in _parts(name):
        bare = _AFFIXES.sub("", text.strip(" ()[]:,-_"))
        plain = unicodedata.normalize("NFKD", bare.casefold()).encode("ascii", "ignore").decode()
        key = re.sub(r"[^a-z0-9]+", "", plain)
        if key in ALIASES:
            return ALIASES[key]
    by_wavelength = ""
    if not _RED_EDGE.search(name) and (found := _WAVELENGTH.search(name)):
        low, high, unit = found.groups()
        centre = (float(low) + float(high or low)) / 2
        by_wavelength = name_of_wavelength(centre / 1000 if unit[0] in "nN" else centre)
    return by_wavelength or name.strip().casefold()


def _parts(name: str) -> Iterator[str]:
    """A name, the name without its number, and the texts around and inside its brackets."""
    yield name
    yield _NUMBER_IN_TEXT.sub("", name)
    if found := _BRACKETS.match(name):
        before, inside, after = found.groups()
        yield from (f"{before} {after}", inside)


def band_number(name: str) -> str:
    """The number in a name such as ``SR_B2``; empty for other names."""
    found = _NUMBERED.fullmatch(name.strip())
    return found["number"].upper() if found else ""


def name_of_wavelength(micrometres: float) -> str:
    """The band whose range includes a wavelength, or empty."""
    found = (name for name, (low, high) in WAVELENGTHS.items() if low <= micrometres <= high)
    return next(found, "")


def read_numbers(names: Sequence[str], *, file_name: str = "") -> list[Reading]:
    """Every sensor whose numbering fits the numbered bands of a scene.

    Where `file_name`, or the name of a band, starts like a sensor's products, only that sensor
    is returned.
    """
    found = [_NUMBERED.fullmatch(name.strip()) for name in names]
    if not any(found):
        return []
    readings = [
        Reading(sensor, tuple(_name(match, sensor) for match in found))
        for sensor in NUMBERINGS
        if all(match is None or _has(sensor, match) for match in found)
    ]
    files = [file_name, *names]
    by_file = [r for r in readings if any(f.upper().startswith(r.sensor.products) for f in files)]
    return by_file or ([] if _merely_count(found) else readings)


def _merely_count(found: Sequence[re.Match[str] | None]) -> bool:
    """Whether the numbers only repeat the order of the bands, which tells no sensor."""
    return all(
        match is not None and match["prefix"] is None and match["number"] == str(index)
        for index, match in enumerate(found, start=1)
    )


def _has(sensor: Numbering, match: re.Match[str]) -> bool:
    """Whether a sensor has a band of this number."""
    prefix = (match["prefix"] or "").lower().replace(" ", "_")
    number = match["number"].upper()
    if prefix == "st":  # surface temperature
        return not sensor.prefixes
    if sensor.prefixes or prefix == "sur_refl":
        return prefix in sensor.prefixes and number in sensor.numbers
    return number in sensor.numbers or (prefix not in _SURFACE and number in sensor.others)


def _name(match: re.Match[str] | None, sensor: Numbering) -> str:
    if match is None or (match["prefix"] or "").lower() == "st":
        return ""
    return sensor.numbers.get(match["number"].upper(), "")
