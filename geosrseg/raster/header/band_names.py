"""Band names: what the bands of a scene are called, by whom, and what they are.

Two kinds of names are known. A word such as ``nir08``, ``SWIR 1`` or ``SR_blue`` is one band
whoever writes it. A number such as ``SR_B5`` or ``B08`` is another band for every sensor, so
all numbers of a scene are read as those of one sensor, or of none.
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
    "nir": (0.76, 0.90),
    "swir1": (1.55, 1.75),
    "swir2": (2.05, 2.35),
}
"""Micrometres between which a band's centre lies."""

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
"""A word without blanks and case -> the band's name."""

_OLI = {
    **{"1": "coastal", "2": "blue", "3": "green", "4": "red", "5": "nir", "6": "swir1"},
    "7": "swir2",
}
_REFLECTIVE_TM = {"1": "blue", "2": "green", "3": "red", "4": "nir", "5": "swir1", "7": "swir2"}


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a sensor's bands are numbered.

    Attributes:
        name: of the sensor.
        numbers: number, without leading zeros -> the band's name.
        others: numbers that it has too and no model wants, in files that are no surface
            reflectance.
        prefixes: what stands before the number; empty for anything that is not special.
        products: how the names of its products begin.
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
"""What may stand after a band's name: how it was composed, and its resolution."""

_NUMBERED = re.compile(
    r"(?:.*?[_ ./-])??"  # the name of a file, or the number of an image in a stack
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
_NUMBER_IN_TEXT = re.compile(r"\b(?:sr[_ -])?b(?:and)?[_ -]?\d{1,2}a?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """The bands of a scene as one sensor numbers them.

    Attributes:
        sensor: the sensor.
        names: the band's name for each of the scene's names, empty where unknown.
    """

    sensor: Numbering
    names: tuple[str, ...]


def canonical_name(name: str) -> str:
    """The name by which bands are compared: of a word, its band, else the name in lower case.

    A number beside the word says nothing more: ``Band 4 (Red)`` is red. Where there is no word, a
    wavelength tells: ``1610 nm``.
    """
    for text in _parts(name):
        bare = _AFFIXES.sub("", text.strip(" ()[]:,-_"))
        plain = unicodedata.normalize("NFKD", bare.casefold()).encode("ascii", "ignore").decode()
        key = re.sub(r"[^a-z0-9]+", "", plain)
        if key in ALIASES:
            return ALIASES[key]
    if found := _WAVELENGTH.search(name):
        low, high, unit = found.groups()
        centre = (float(low) + float(high or low)) / 2
        by_wavelength = name_of_wavelength(centre / 1000 if unit[0] in "nN" else centre)
        return by_wavelength or name.strip().casefold()
    return name.strip().casefold()


def _parts(name: str) -> Iterator[str]:
    """A name, and what is left of it without a number and brackets, or in them."""
    yield name
    yield _NUMBER_IN_TEXT.sub("", name)
    if found := _BRACKETS.match(name):
        before, inside, after = found.groups()
        yield from (f"{before} {after}", inside)


def band_number(name: str) -> str:
    """The number in a name such as ``SR_B2``; empty where there is none."""
    found = _NUMBERED.fullmatch(name.strip())
    return found["number"].upper() if found else ""


def name_of_wavelength(micrometres: float) -> str:
    """The band whose range a wavelength lies in, or empty."""
    found = (name for name, (low, high) in WAVELENGTHS.items() if low <= micrometres <= high)
    return next(found, "")


def read_numbers(names: Sequence[str], *, file_name: str = "") -> list[Reading]:
    """Every sensor whose numbers the numbered bands of a scene can be.

    Args:
        names: of the scene's bands.
        file_name: of the scene; where it, or the name of a band, begins as a sensor's products
            do, that is it.
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
    """The numbers are those of the file's own order, which any file's bands may have."""
    return all(
        match is not None and match["prefix"] is None and match["number"] == str(index)
        for index, match in enumerate(found, start=1)
    )


def _has(sensor: Numbering, match: re.Match[str]) -> bool:
    """The sensor numbers its bands like this."""
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
