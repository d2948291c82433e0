"""Builds the header of a scene from the files of a product."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from geosrseg.core.normalize import Radiometry
from geosrseg.core.text.counted import counted
from geosrseg.errors import SceneError
from geosrseg.raster.files.blocks import check_blocks
from geosrseg.raster.files.dataset import named, open_dataset
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.bands import choose_bands
from geosrseg.raster.header.fill import can_hold
from geosrseg.raster.header.header import (
    BandFile,
    SceneHeader,
    SceneOptions,
    check_dataset,
    grid_of,
)
from geosrseg.raster.header.quality import Marks, QualityFile
from geosrseg.raster.header.radiometry import checked_radiometry, radiometry_of_options
from geosrseg.raster.header.selection import BandSelection
from geosrseg.raster.sensors.product import SensorBand, SensorFlags, SensorProduct, listed
from geosrseg.raster.sensors.product_grid import check_same_grid, on_grid, product_grid
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.remote import check_redirects


@dataclass(frozen=True, slots=True)
class _Examined:
    """A band's file with its grid, and a warning about the georeference or an empty text."""

    file: BandFile
    grid: Grid
    warning: str


def read_product_header(
    location: Location, product: SensorProduct, options: SceneOptions
) -> SceneHeader:
    """Examine the files of a product that the model needs.

    Raises:
        SceneError: a file is missing, cannot be read, or lies on another grid.
    """
    choice = choose_bands(
        product.scene_bands, model_bands=options.model_bands, option=options.bands
    )
    bands = [product.band(number) for number in choice.indexes]
    examined = [_examine_band(band, options, fill=product.fill) for band in bands]
    quality = [
        (flags, _examine_flags(flags, options))
        for flags in _quality_files(product, choice.indexes, options.mask)
    ]
    first = examined[0]
    if product.coarser:
        grid, notes = product_grid([each.grid for each in examined], product, options.spec)
        check = None
    else:
        grid, notes, check = first.grid, (), first.file.location
    for each in examined[1:]:
        check_same_grid(each.file.location, each.grid, first.file.location, grid, exact=check)
    for flags, its_grid in quality:
        check_same_grid(flags.location, its_grid, first.file.location, grid, exact=check)
    stated, warning = _georeferenced(grid, first.warning, product.grid)
    return SceneHeader(
        location=location,
        name=product.name,
        kind=product.title,
        grid=stated,
        band_names=options.model_bands,
        files=tuple(_placed(each, grid) for each in examined),
        quality=tuple(
            replace(flags, resampled=on_grid(its_grid, grid, flags=True))
            for flags, its_grid in quality
        ),
        radiometry=_radiometry(bands, options),
        reflectance=product.reflectance,
        taken=product.taken,
        warnings=tuple(
            filter(None, (warning, *notes, *product.warnings, *_useless(product, options.mask)))
        ),
    )


def _placed(each: _Examined, grid: Grid) -> BandFile:
    selection = each.file.selection
    missing = [value for value in (*selection.nodata, *selection.fills) if value is not None]
    return replace(each.file, resampled=on_grid(each.grid, grid, missing=missing))


def _examine_band(band: SensorBand, options: SceneOptions, *, fill: float | None) -> _Examined:
    location = band.location
    if location is None:
        raise ValueError(f"{band} has no file")
    check_redirects(location)
    with open_dataset(location, driver=band.driver) as dataset, named(location):
        check_dataset(dataset, max_pixels=options.max_pixels)
        if dataset.count < band.index:
            raise SceneError(
                f"has {counted(dataset.count, 'band')}, expected {band.index}: "
                "get the product again"
            )
        check_blocks(dataset, (band.index,))
        selection = BandSelection.of(dataset, (band.index,), fill=fill)
        dtype = dataset.dtypes[band.index - 1]
        stated = [value for value in options.nodata if can_hold(dtype, value)]
        also = () if fill is None or fill in selection.nodata else (fill,)
        selection = replace(selection, fills=(*stated, *also))
        file = BandFile(location, selection, driver=band.driver)
        return _Examined(file, *grid_of(dataset))


def _examine_flags(flags: QualityFile, options: SceneOptions) -> Grid:
    location = flags.location
    check_redirects(location)
    with open_dataset(location, driver=flags.driver) as dataset, named(location):
        check_dataset(dataset, max_pixels=options.max_pixels)
        flags.check(dataset)
        check_blocks(dataset, (flags.index,))
        return grid_of(dataset)[0]


def _quality_files(
    product: SensorProduct, numbers: Sequence[int], mask: Sequence[str]
) -> tuple[QualityFile, ...]:
    if mask and not product.masks:
        if not product.flags_file:
            raise SceneError(
                f"`mask` {','.join(mask)}: {product.title} has no flags, leave `mask` out"
            )
        raise SceneError(
            f"`mask` {','.join(mask)} needs the file {product.flags_file}, found "
            f"{listed(product.found)}: put it beside the bands, or leave `mask` out"
        )
    files = (_quality_file(flags, numbers, mask) for flags in product.flags)
    return tuple(file for file in files if file.masked or file.fill)


def _quality_file(flags: SensorFlags, numbers: Sequence[int], mask: Sequence[str]) -> QualityFile:
    masked = Marks()
    for marks in (
        *(flags.masks.get(name, Marks()) for name in mask),
        *(flags.by_band.get(number, Marks()) for number in numbers),
    ):
        masked |= marks
    return QualityFile(
        location=flags.location,
        masked=masked,
        fill=flags.fill,
        index=flags.index,
        driver=flags.driver,
    )


def _georeferenced(grid: Grid, warning: str, stated: Grid | None) -> tuple[Grid, str]:
    """Return the files' grid, or the metadata's if the files have no georeference."""
    if not grid.transform.is_identity or stated is None:
        return grid, warning
    if (stated.height, stated.width) != (grid.height, grid.width):
        return grid, (
            f"{warning} (the metadata's georeference is of {stated.width} x {stated.height} "
            f"pixels, its files have {grid.width} x {grid.height})"
        )
    return stated, ""


def _radiometry(bands: Sequence[SensorBand], options: SceneOptions) -> Radiometry:
    said = radiometry_of_options(len(bands), scale=options.scale, offset=options.offset)
    if said is not None:
        return said
    scales = tuple(band.scale for band in bands)
    offsets = tuple(band.offset for band in bands)
    return checked_radiometry(scales, offsets, source="the product's metadata gives")


def _useless(product: SensorProduct, mask: Sequence[str]) -> list[str]:
    return [
        f"{product.title} has no {name} flag: `mask` {name} masks nothing"
        for name in mask
        if name not in product.masks
    ]
