"""Reading: the user's choices for reading a scene."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from geosrseg.core.option import check_options, option
from geosrseg.errors import SceneError

if TYPE_CHECKING:
    import shapely

    Area: TypeAlias = str | Path | Sequence[float] | shapely.Geometry | Any
    """A file, four numbers, a geometry, or an object with a ``geometry`` and a ``crs``."""


AoiExtent = Literal["crop", "scene"]

NodataIf = Literal["any", "all", "never"]
"""How many bands of a pixel must be missing to make the pixel nodata."""

MAX_PIXELS = 2**31
"""Largest scene accepted by default; a header that declares more is probably damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a scene.

    Accepts Python values and converts them to the forms of the command line: ``bands=[3, 2, 1]``
    or ``{"green": 3}``, ``mask="cloud"`` or a list, ``aoi`` as four numbers, a shapely geometry
    in the scene's CRS, or a GeoDataFrame.
    """

    bands: str | Sequence[int] | Mapping[str, int] | None = option(
        'The scene\'s bands for those of the model: "1,2,3" in order, or "green=3,red=4" by name.'
    )
    scale: float | None = option("Reflectance per digital number.", kind="number")
    offset: float | None = option("Reflectance of digital number 0.", kind="number")
    nodata: float | Sequence[float] = option(
        "Digital number that marks missing pixels; may be repeated.",
        (),
        kind="numbers",
        metavar="VALUE",
    )
    nodata_if: NodataIf = option(
        "Treat a pixel as nodata if any of its bands is, only if all are, or never. With all and "
        "never, the band's mean in the training data replaces a missing value.",
        "any",
        choices=get_args(NodataIf),
    )
    mask: str | Sequence[str] = option(
        "Leave out pixels that the product flags as cloud, shadow, cirrus or snow.",
        (),
        kind="names",
        metavar="NAME,...",
    )
    aoi: "Area | None" = option(
        "Area to map: a vector file of polygons, or a box: xmin,ymin,xmax,ymax in the scene's CRS, "
        "or EPSG:4326:xmin,ymin,xmax,ymax.",
        metavar="FILE|BOX",
    )
    aoi_extent: AoiExtent = option(
        "Crop the map to the area of interest, or keep the scene's extent with nodata around it.",
        "crop",
        choices=get_args(AoiExtent),
    )
    any_resolution: bool = option(
        "Accept a scene whose pixel size the model is not meant for.",
        False,
        kind="flag",
    )
    max_pixels: int = option(
        "Refuse a scene that declares more pixels.", MAX_PIXELS, kind="whole", least=1
    )
    skip_bad_blocks: bool = option(
        "Treat blocks of the scene that cannot be decoded as nodata instead of failing.",
        False,
        kind="flag",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "bands", _bands(self.bands))
        object.__setattr__(self, "nodata", _numbers(self.nodata))
        object.__setattr__(self, "mask", _names(self.mask))
        object.__setattr__(self, "aoi", _area(self.aoi))
        check_options(self, SceneError)

    @property
    def chosen_bands(self) -> str | None:
        """Return the bands as text."""
        return _bands(self.bands)

    @property
    def nodata_values(self) -> tuple[float, ...]:
        """Return the digital numbers that mark missing pixels."""
        return _numbers(self.nodata)

    @property
    def masked(self) -> tuple[str, ...]:
        """Return the names of the flags that make a pixel nodata."""
        return _names(self.mask)


def _bands(bands: str | Sequence[int] | Mapping[str, int] | None) -> str | None:
    if bands is None or isinstance(bands, str):
        return bands
    if isinstance(bands, Mapping):
        return ",".join(f"{name}={number}" for name, number in bands.items())
    return ",".join(map(str, bands))


def _numbers(numbers: float | Sequence[float]) -> tuple[float, ...]:
    return tuple(numbers) if isinstance(numbers, Sequence) else (numbers,)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    words = names.split(",") if isinstance(names, str) else names
    return tuple(word.strip() for word in words if word.strip())


def _area(area: Any) -> Any:
    """Convert a path or a box to text; return anything else unchanged."""
    if isinstance(area, os.PathLike):
        return str(area)
    if isinstance(area, Sequence) and not isinstance(area, str):
        return ",".join(repr(float(number)) for number in area)
    return area
