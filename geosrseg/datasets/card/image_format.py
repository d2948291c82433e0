"""ImageFormat: how the images of a dataset store reflectance."""

import math
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rasterio.enums import ColorInterp

from geosrseg.core.normalize import Radiometry
from geosrseg.core.text.toml_table import TomlTable
from geosrseg.raster.files.raster_files import RasterFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFormat:
    """How images store reflectance, by a card; None leaves a value to the files.

    Attributes:
        indexes: 1-based numbers of the files' bands, in the order of the card's bands.
        radiometry: digital number to reflectance.
        nodata: digital number of pixels without a measurement.
        example: image that gave `indexes`, all its bands but alpha, where no card did.
    """

    indexes: tuple[int, ...] | None = None
    radiometry: Radiometry | None = None
    nodata: float | None = None
    example: Path | None = None


OF_8_BITS = ImageFormat(indexes=(1, 2, 3), radiometry=Radiometry.uniform(3, scale=1 / 255))
"""Format of three bands of 8 bits."""


def format_of(path: Path) -> ImageFormat:
    """Derive the format of images without a card: all bands but alpha, 8 bits times 1 / 255.

    For other data types, the file or its values give the scale.

    Raises:
        DatasetError: the image cannot be opened.
    """
    with closing(RasterFiles()) as files, files.use(path) as dataset:
        pairs = zip(dataset.indexes, dataset.colorinterp, strict=True)
        indexes = tuple(index for index, meaning in pairs if meaning != ColorInterp.alpha)
        is_bytes = set(dataset.dtypes) == {"uint8"}
    radiometry = Radiometry.uniform(len(indexes), scale=1 / 255) if is_bytes else None
    return ImageFormat(indexes=indexes, radiometry=radiometry, example=path)


def parse_image_format(table: TomlTable, *, bands: int) -> ImageFormat:
    """Read a table such as ``[image]``.

    Args:
        table: has ``bands``, ``scale``, ``offset`` and ``nodata``, each optional.
        bands: number of bands in the card.

    Raises:
        ValueError: a value is wrong.
    """
    table.only(("bands", "scale", "offset", "nodata"))
    radiometry = None
    if table.has("scale") or table.has("offset"):
        scale = _per_band(table, "scale", bands, default=1.0)
        if 0 in scale:
            raise table.wrong("scale", "no scale of 0")
        radiometry = Radiometry(scale, _per_band(table, "offset", bands, default=0.0))
    return ImageFormat(
        indexes=_indexes(table, bands) if table.has("bands") else None,
        radiometry=radiometry,
        nodata=table.number("nodata") if table.has("nodata") else None,
    )


def _per_band(table: TomlTable, key: str, bands: int, *, default: float) -> tuple[float, ...]:
    if not table.has(key):
        return (default,) * bands
    expected = f"a finite number, or a list of {bands}, one per band"
    if isinstance(table.values[key], list):
        values = table.numbers(key, count=bands, expected=expected)
    else:
        values = (table.number(key),) * bands
    if not all(map(math.isfinite, values)):
        raise table.wrong(key, expected)
    return values


def _indexes(table: TomlTable, bands: int) -> tuple[int, ...]:
    expected = f"a list of {bands} different band numbers from 1 on, one per band"
    values = table.numbers("bands", count=bands, expected=expected)
    if len(set(values)) != bands or any(value < 1 or value != int(value) for value in values):
        raise table.wrong("bands", expected)
    return tuple(map(int, values))
