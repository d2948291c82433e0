"""Survey: describes a scene without reference to a model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from geosrseg.core.composite import choose_composite
from geosrseg.core.normalize import Radiometry
from geosrseg.errors import SceneError
from geosrseg.raster.files.dataset import named, open_dataset
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.bad_blocks import BadBlocks
from geosrseg.raster.header.bands import SceneBand
from geosrseg.raster.header.header import SceneHeader, SceneOptions, describe_bands
from geosrseg.raster.reading import MAX_PIXELS
from geosrseg.raster.scene import Scene, examine_scene, open_header
from geosrseg.raster.sensors.recognition import find_product
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.remote import check_redirects

SAMPLE_SIDE = 512
"""Pixels along the longer side of the decimated copy in which valid pixels are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Description of a scene.

    Attributes:
        location: the scene; its text form leaves credentials out.
        kind: file format or product type, in a few words.
        bands: the bands that hold measurements, with their numbers for ``--bands``.
        dtype: dtype of the digital numbers.
        nodata: the value that marks missing pixels, per band, or None.
        radiometry: digital number to reflectance; None if unknown.
        no_radiometry: why the radiometry is unknown; empty if it is known.
        valid_share: share of pixels that are valid in all bands, 0 to 1.
        warnings: warnings for the user, one line each.
    """

    location: Location
    kind: str
    grid: Grid
    bands: tuple[SceneBand, ...]
    dtype: str
    nodata: tuple[float | None, ...]
    radiometry: Radiometry | None
    no_radiometry: str
    valid_share: float
    warnings: tuple[str, ...]


def survey_scene(location: Location) -> Survey:
    """Describe a scene, with all its bands.

    Raises:
        SceneError: the scene cannot be read.
    """
    bands = _find_bands(location)
    options = SceneOptions(
        model_bands=tuple(band.name or str(band.index) for band in bands),
        bands=",".join(str(band.index) for band in bands),
        max_pixels=MAX_PIXELS,
    )
    header, unknown = _examine(location, options)
    longest = max(header.grid.height, header.grid.width, SAMPLE_SIDE)
    height, width = (
        max(length * SAMPLE_SIDE // longest, 1)
        for length in (header.grid.height, header.grid.width)
    )
    with open_header(header, bad_blocks=BadBlocks(skip=False)) as scene:
        numbers, valid = scene.read_decimated(height, width)
    return Survey(
        location=location,
        kind=header.kind,
        grid=header.grid,
        bands=bands,
        dtype=numbers.dtype.name,
        nodata=tuple(value for file in header.files for value in file.selection.nodata),
        radiometry=None if unknown else header.radiometry,
        no_radiometry=unknown,
        valid_share=float(valid.mean()),
        warnings=header.warnings,
    )


@contextmanager
def open_for_display(location: Location) -> Iterator[Scene]:
    """Open a scene with only the three bands that a composite shows.

    Raises:
        SceneError: the scene cannot be read.
    """
    numbers = {band.name or str(band.index): str(band.index) for band in _find_bands(location)}
    shown = tuple(dict.fromkeys(choose_composite(tuple(numbers))))
    options = SceneOptions(
        model_bands=shown,
        bands=",".join(numbers[name] for name in shown),
        max_pixels=MAX_PIXELS,
    )
    header, _ = _examine(location, options)
    with open_header(header, bad_blocks=BadBlocks(skip=False)) as scene:
        yield scene


def _find_bands(location: Location) -> tuple[SceneBand, ...]:
    with named(location):
        product = find_product(location)
        if product is None:
            check_redirects(location)
            with open_dataset(location, beside=True) as dataset:
                found = [band for band in describe_bands(dataset) if not band.is_alpha]
        else:
            found = [
                SceneBand(band.number, band.name)
                for band in product.bands
                if band.location is not None
            ]
            if not found:
                product.band(product.bands[0].number)  # raises, naming the missing file
    return tuple(found)


def _examine(location: Location, options: SceneOptions) -> tuple[SceneHeader, str]:
    """Return the header, and why its radiometry is unknown (empty if it is known)."""
    try:
        return examine_scene(location, options), ""
    except SceneError as error:
        # Given a scale, only other faults still raise.
        header = examine_scene(location, replace(options, scale=1.0))
        return header, str(error).removeprefix(f"{location}: ")
