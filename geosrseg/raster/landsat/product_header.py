"""The header of a product: several files, one scene."""

from collections.abc import Sequence
from dataclasses import replace

from geosrseg.core.domain import SURFACE, TOP_OF_ATMOSPHERE
from geosrseg.core.normalize import Radiometry
from geosrseg.errors import SceneError
from geosrseg.raster.files.blocks import check_blocks
from geosrseg.raster.files.dataset import named, open_dataset
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.bands import choose_bands
from geosrseg.raster.header.header import (
    BandFile,
    SceneHeader,
    SceneOptions,
    check_dataset,
    grid_of,
)
from geosrseg.raster.header.radiometry import checked_radiometry, radiometry_of_options
from geosrseg.raster.header.selection import BandSelection
from geosrseg.raster.landsat.landsat import Product, ProductBand, listed
from geosrseg.raster.landsat.quality import QualityFile, saturation_bits
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.remote import check_redirects

_SAME = 1e-3
"""Pixels by which the files of one product may lie apart: rounding in their tags."""


def read_product_header(location: Location, product: Product, options: SceneOptions) -> SceneHeader:
    """Examine the files of a product that the model needs.

    Raises:
        SceneError: a file is missing, cannot be read, or is on another grid.
    """
    choice = choose_bands(
        product.scene_bands, model_bands=options.model_bands, option=options.bands
    )
    bands = [product.band(number) for number in choice.indexes]
    fill = product.id.fill_value
    examined = [_examine_band(_place(band), options, fill=fill) for band in bands]
    quality = _quality_files(product, choice.indexes, options.mask)
    file, grid, warning = examined[0]
    for other, its_grid, _ in examined[1:]:
        _check_same_grid(other.location, its_grid, file.location, grid)
    for flags in quality:
        _check_same_grid(flags.location, _examine_flags(flags, options), file.location, grid)
    grid, warning = _georeferenced(grid, warning, product.grid)
    return SceneHeader(
        location=location,
        name=product.id.text,
        kind=product.id.title,
        grid=grid,
        band_names=options.model_bands,
        files=tuple(file for file, _, _ in examined),
        quality=quality,
        radiometry=_radiometry(bands, options),
        reflectance=SURFACE if product.id.level == 2 else TOP_OF_ATMOSPHERE,
        warnings=tuple(filter(None, (warning, _useless_mask(product, options.mask)))),
    )


def _place(band: ProductBand) -> Location:
    if band.location is None:
        raise ValueError(f"{band} has no file")
    return band.location


def _examine_band(
    location: Location, options: SceneOptions, *, fill: float
) -> tuple[BandFile, Grid, str]:
    check_redirects(location)
    with open_dataset(location) as dataset, named(location):
        check_dataset(dataset, max_pixels=options.max_pixels)
        check_blocks(dataset, (1,))
        if dataset.count != 1:
            raise SceneError(f"has {dataset.count} bands, expected one: get the product again")
        selection = BandSelection.of(dataset, (1,), fill=fill)
        selection = replace(selection, fills=options.nodata)
        return BandFile(location, selection), *grid_of(dataset)


def _examine_flags(flags: QualityFile, options: SceneOptions) -> Grid:
    location = flags.location
    check_redirects(location)
    with open_dataset(location) as dataset, named(location):
        check_dataset(dataset, max_pixels=options.max_pixels)
        check_blocks(dataset, (1,))
        flags.check(dataset)
        return grid_of(dataset)[0]


def _quality_files(
    product: Product, numbers: Sequence[int], mask: Sequence[str]
) -> tuple[QualityFile, ...]:
    files = []
    if product.qa_pixel is not None:
        bits = sum(product.id.masks.get(name, 0) for name in mask) | product.id.fill_flag
        files.append(QualityFile(product.qa_pixel, bits))
    elif mask:
        raise SceneError(
            f"`mask` {','.join(mask)} needs the file "
            f"{product.id.text}{product.id.flags_file_ending}, found "
            f"{listed(product.found)}: put it beside the bands, or leave `mask` out"
        )
    if product.qa_radsat is not None:
        files.append(QualityFile(product.qa_radsat, saturation_bits(numbers)))
    return tuple(files)


def _check_same_grid(location: Location, grid: Grid, other: Location, expected: Grid) -> None:
    offsets = ~expected.transform @ grid.transform
    same_place = offsets.almost_equals(offsets.identity(), _SAME / max(grid.height, grid.width))
    same_size = (grid.height, grid.width) == (expected.height, expected.width)
    if not same_size or not same_place or grid.crs != expected.crs:
        raise SceneError(
            f"{location}: has {grid.width} x {grid.height} pixels at {grid.bounds} in "
            f"{grid.crs}, and {other.name} {expected.width} x {expected.height} at "
            f"{expected.bounds} in {expected.crs}: expected one grid, get the product again"
        )


def _georeferenced(grid: Grid, warning: str, stated: Grid | None) -> tuple[Grid, str]:
    """The files' own grid, or the metadata's where they have lost theirs."""
    if not grid.transform.is_identity or stated is None:
        return grid, warning
    if (stated.height, stated.width) != (grid.height, grid.width):
        return grid, (
            f"{warning} (the metadata's georeference is of {stated.width} x {stated.height} "
            f"pixels, its files have {grid.width} x {grid.height})"
        )
    return stated, ""


def _radiometry(bands: Sequence[ProductBand], options: SceneOptions) -> Radiometry:
    said = radiometry_of_options(len(bands), scale=options.scale, offset=options.offset)
    if said is not None:
        return said
    scales = tuple(band.scale for band in bands)
    offsets = tuple(band.offset for band in bands)
    return checked_radiometry(scales, offsets, source="the product's metadata gives")


def _useless_mask(product: Product, mask: Sequence[str]) -> str:
    useless = [name for name in mask if name not in product.id.masks]
    if not useless:
        return ""
    return f"{product.id.title} has no {useless[0]} flag: `mask` {useless[0]} masks nothing"
