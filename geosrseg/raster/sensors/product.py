"""SensorProduct: which file of a product is which band, and what its numbers mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from geosrseg.core.domain import SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.bands import SceneBand
from geosrseg.raster.header.quality import MASKS, NOTHING, Marks
from geosrseg.raster.storage.location import Location

GEOTIFF, JPEG_2000 = "GTiff", "JP2OpenJPEG"
DRIVERS = (GEOTIFF, JPEG_2000)
"""GDAL's drivers that a product may be read with; neither follows what it reads elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorBand:
    """One band of a product.

    Attributes:
        number: by which ``--bands`` means it.
        name: of the band: coastal, blue, green, red, nir, swir1, swir2, or another word.
        location: its file; None where that is missing.
        file: what the file is called, for the message where it is missing.
        scale: reflectance per digital number.
        offset: reflectance of digital number 0.
        index: the band of the file, from 1.
        driver: one of `DRIVERS`.
    """

    number: int
    name: str
    location: Location | None
    file: str = ""
    scale: float = 1.0
    offset: float = 0.0
    index: int = 1
    driver: str = GEOTIFF

    def __post_init__(self) -> None:
        _check_driver(self.driver)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFlags:
    """A file that says which pixels are not usable.

    Attributes:
        location: the file.
        masks: what marks that which a user may ask to be masked: cloud, shadow, cirrus, snow.
        fill: what marks pixels that are never valid.
        by_band: the same, for pixels of a band of this number alone, such as its saturation.
        index: the band of the file, from 1.
        driver: one of `DRIVERS`.
    """

    location: Location
    masks: Mapping[str, Marks] = field(default_factory=dict)
    fill: Marks = NOTHING
    by_band: Mapping[int, Marks] = field(default_factory=dict)
    index: int = 1
    driver: str = GEOTIFF

    def __post_init__(self) -> None:
        _check_driver(self.driver)
        if unknown := sorted(set(self.masks) - set(MASKS)):
            raise ValueError(f"a mask is one of {', '.join(MASKS)}, got {unknown[0]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorProduct:
    """A product of one acquisition.

    Attributes:
        name: its own, also where its folder has another.
        title: what kind of product it is, in a few words.
        bands: all that the sensor has.
        flags: files of flags; those that mark nothing for a run are not opened.
        flags_file: the file that a mask needs, for the message where it is missing.
        fill: the number of missing pixels in files that declare none.
        reflectance: "surface" or "top of atmosphere"; empty where unknown.
        taken: the day.
        grid: what the metadata says of the bands' grid, for files that have lost theirs.
        coarser: sizes of pixels, in metres, that its bands may be averaged to, because a model
            may be for none of the bands' own; empty where all files lie on one grid.
        found: names of the files that there are, for messages.
        warnings: what a user should hear about, one line each.
    """

    name: str
    title: str
    bands: tuple[SensorBand, ...]
    flags: tuple[SensorFlags, ...] = ()
    flags_file: str = ""
    fill: float | None = None
    reflectance: str = ""
    taken: date | None = None
    grid: Grid | None = None
    coarser: tuple[float, ...] = ()
    found: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.reflectance not in ("", SURFACE, TOP_OF_ATMOSPHERE):
            raise ValueError(f"reflectance is {SURFACE!r} or {TOP_OF_ATMOSPHERE!r}")
        numbers = [band.number for band in self.bands]
        if not numbers or len(set(numbers)) != len(numbers):
            raise ValueError("a product has bands, and each a number of its own")

    @property
    def scene_bands(self) -> list[SceneBand]:
        """The bands by their numbers."""
        return [SceneBand(band.number, band.name) for band in self.bands]

    @property
    def masks(self) -> frozenset[str]:
        """What its flags can mark."""
        return frozenset(name for flags in self.flags for name in flags.masks)

    def band(self, number: int) -> SensorBand:
        """The band of a number.

        Raises:
            SceneError: its file is missing.
        """
        band = next(band for band in self.bands if band.number == number)
        if band.location is None:
            raise SceneError(
                f"the file of the band {band.name} is missing: expected "
                f"{band.file or 'one'}, found {listed(self.found)}"
            )
        return band


def listed(names: Sequence[str]) -> str:
    """File names in a message, at most a dozen."""
    more = (f"{len(names) - 12} more",) if len(names) > 12 else ()
    return ", ".join((*names[:12], *more)) or "no files"


def _check_driver(driver: str) -> None:
    if driver not in DRIVERS:
        raise ValueError(f"a product is read with one of {', '.join(DRIVERS)}, got {driver!r}")
