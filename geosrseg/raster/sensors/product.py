"""SensorProduct: the files of a product by band, and the meaning of their numbers."""

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
"""GDAL drivers allowed for products; neither follows references to other files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorBand:
    """One band of a product.

    Attributes:
        number: number of the band in ``--bands``.
        name: coastal, blue, green, red, nir, swir1, swir2, or another word.
        location: the band's file; None if it is missing.
        file: name of the file, for the message that it is missing.
        scale: reflectance per digital number.
        offset: reflectance of digital number 0.
        index: the band inside the file, from 1.
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
    """A file that marks unusable pixels.

    Attributes:
        masks: marks of what a user may mask: cloud, shadow, cirrus, snow.
        fill: marks of pixels that are never valid.
        by_band: band number -> marks of pixels invalid in that band only, such as saturated ones.
        index: the band inside the file, from 1.
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
        name: the product's own name, whatever its folder is called.
        title: product type, in a few words.
        bands: all bands of the sensor, including those whose file is missing.
        flags: files of flags; only those that a run needs are opened.
        flags_file: name of the file that `mask` needs, for the message that it is missing.
        fill: the number of missing pixels in files that declare no nodata.
        reflectance: "surface" or "top of atmosphere"; empty if unknown.
        taken: acquisition day.
        grid: grid of the bands according to the metadata, for files without georeference.
        coarser: pixel sizes, in metres, to which the bands may be averaged for a model that
            needs them; empty if all files share one grid.
        found: names of the files present, for messages.
        warnings: warnings for the user, one line each.
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
            raise ValueError("a product needs bands with distinct numbers")

    @property
    def scene_bands(self) -> list[SceneBand]:
        """Number and name of each band."""
        return [SceneBand(band.number, band.name) for band in self.bands]

    @property
    def masks(self) -> frozenset[str]:
        """Names of the masks that the flags support."""
        return frozenset(name for flags in self.flags for name in flags.masks)

    def band(self, number: int) -> SensorBand:
        """Return the band with a number.

        Raises:
            SceneError: the band's file is missing.
        """
        band = next(band for band in self.bands if band.number == number)
        if band.location is None:
            raise SceneError(
                f"the file of the band {band.name} is missing: expected "
                f"{band.file or 'one'}, found {listed(self.found)}"
            )
        return band


def listed(names: Sequence[str]) -> str:
    """Join file names for a message, at most a dozen."""
    more = (f"{len(names) - 12} more",) if len(names) > 12 else ()
    return ", ".join((*names[:12], *more)) or "no files"


def _check_driver(driver: str) -> None:
    if driver not in DRIVERS:
        raise ValueError(f"a product's driver is one of {', '.join(DRIVERS)}, got {driver!r}")
