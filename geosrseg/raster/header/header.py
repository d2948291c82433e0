"""SceneHeader: everything needed to read a scene, found by examining its file once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from geosrseg.core.normalize import Radiometry
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files.blocks import check_blocks
from geosrseg.raster.files.dataset import named, open_dataset, read_dataset
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.resampling import Resampled
from geosrseg.raster.header.aoi import Aoi
from geosrseg.raster.header.band_names import name_of_wavelength
from geosrseg.raster.header.bands import SceneBand, choose_bands
from geosrseg.raster.header.fill import (
    Fill,
    describe_hollows,
    describe_unheld,
    is_fill,
    judge_fill,
    search_fill,
)
from geosrseg.raster.header.quality import QualityFile
from geosrseg.raster.header.radiometry import find_radiometry
from geosrseg.raster.header.sample import Pixels, Sample, take_sample
from geosrseg.raster.header.selection import BandSelection
from geosrseg.raster.storage.companions import masks_beside
from geosrseg.raster.storage.crs_text import check_wkt
from geosrseg.raster.storage.gdal import GDAL_ERRORS
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.remote import check_redirects

MADE = ("class", "confidence")
"""Names of the first band of maps, by which they differ from scenes and SR images."""

MAX_BANDS = 10_000
"""Most bands of a file; GDAL's time grows with their number even for a small read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOptions:
    """How a scene is examined.

    Attributes:
        model_bands: names of the model's bands, in its order.
        bands: the user's choice of bands, as in ``--bands``.
        scale: reflectance per digital number, for all bands; overrides the scene's own.
        offset: reflectance of digital number 0, likewise. If only one of `scale` and `offset` is
            given, the other is 1 or 0.
        mask: names of `quality.MASKS` that are not valid in a product, besides fill.
        max_pixels: a larger scene is refused before anything is allocated.
        scale_remedy: advice where nothing tells the scale; empty for the default advice.
        nodata: further values that mark missing pixels.
        spec: the model to compare the scene with; None skips the comparison.
        any_resolution: accept pixels of any size.
    """

    model_bands: tuple[str, ...]
    bands: str | None = None
    scale: float | None = None
    offset: float | None = None
    mask: tuple[str, ...] = ()
    max_pixels: int
    scale_remedy: str = ""
    nodata: tuple[float, ...] = ()
    spec: ModelSpec | None = None
    any_resolution: bool = False


@dataclass(frozen=True, slots=True)
class BandFile:
    """A file and the scene's bands in it.

    Attributes:
        driver: the GDAL driver that reads it.
        resampled: how it is read on the scene's grid; None where it has that grid.
    """

    location: Location
    selection: BandSelection
    driver: str = "GTiff"
    resampled: Resampled | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneHeader:
    """A scene without an open file; threads and processes may share it.

    Attributes:
        location: as the user gave it: a file, a product's folder or archive, an item, a URL.
        name: the product's name, the same in each of its forms, or else the file's.
        kind: a few words for users, such as the format.
        band_names: the model's names, in its order.
        files: files that hold the bands, in the same order.
        quality: files of flags that mark pixels as not valid.
        aoi: the area to map; None for the whole scene.
        extent: pixels of the grid that the map covers; None for all.
        part: pixels of the files that the grid covers; None for all.
        warnings: one line each.
        unlike: those warnings that name a difference from the model's training data.
        reflectance: its kind, a value of `Domain.reflectance`.
        taken: the acquisition day, where a product states it.
        sample: pixels from all over the scene, if they were read to examine it.
    """

    location: Location
    name: str
    kind: str
    grid: Grid
    band_names: tuple[str, ...]
    files: tuple[BandFile, ...]
    quality: tuple[QualityFile, ...] = ()
    radiometry: Radiometry
    aoi: Aoi | None = None
    extent: Window | None = None
    part: Window | None = None
    warnings: tuple[str, ...]
    unlike: tuple[str, ...] = ()
    reflectance: str = ""
    taken: date | None = None
    sample: Sample | None = field(default=None, repr=False, compare=False)

    @property
    def is_file(self) -> bool:
        """Whether it is a single file, whose companions count."""
        return [file.location for file in self.files] == [self.location]

    @property
    def locations(self) -> tuple[Location, ...]:
        """Every file of bands or flags."""
        bands = tuple(file.location for file in self.files)
        return bands + tuple(flags.location for flags in self.quality)

    @property
    def local_paths(self) -> tuple[Path, ...]:
        """The local ones of `locations`, an archive once, and the masks beside them."""
        paths = [location.path for location in self.locations if not location.is_remote]
        masks = chain.from_iterable(map(masks_beside, paths))
        return tuple(dict.fromkeys([*paths, *masks]))


def read_file_header(location: Location, options: SceneOptions) -> SceneHeader:
    """Open and examine a single file that holds all bands; see `read_header`.

    Raises:
        SceneError: the file cannot be read or used, or `mask` needs a product.
    """
    if options.mask:
        raise SceneError(
            f"`mask` {','.join(options.mask)} needs a product's flags: give the folder, "
            f"archive or STAC item of the product, or leave `mask` out"
        )
    check_redirects(location)
    with open_dataset(location, beside=True) as dataset, named(location):
        return read_dataset(location, lambda: read_header(dataset, location, options))


def read_header(dataset: DatasetReader, location: Location, options: SceneOptions) -> SceneHeader:
    """Examine an open file that holds all bands.

    Raises:
        SceneError: the file is too large, is not a scene, or lacks what the model needs.
    """
    check_dataset(dataset, max_pixels=options.max_pixels)
    found = describe_bands(dataset)
    _check_is_scene(dataset, found)
    choice = choose_bands(
        found,
        model_bands=options.model_bands,
        option=options.bands,
        file_name=location.name,
    )
    check_blocks(dataset, choice.indexes)
    selection = replace(BandSelection.of(dataset, choice.indexes), fills=options.nodata)
    grid, no_georeference = grid_of(dataset)
    take = partial(_take_sample, dataset, selection, location, options)
    sample, fills = search_fill(take) if options.spec else (take(), ())
    radiometry, guess = find_radiometry(
        dataset,
        selection,
        sample.values,
        scale=options.scale,
        offset=options.offset,
        spec=options.spec,
        remedy=options.scale_remedy,
    )
    filled: list[str] = []
    if options.spec:
        sample, judged = judge_fill(sample, fills, radiometry, is_declared=selection.is_declared)
        selection = replace(
            selection, fills=(*options.nodata, *judged.anywhere), shared_fills=judged.shared
        )
        filled += judged.warnings
        filled += describe_hollows(sample, options.model_bands)
    filled += describe_unheld(options.nodata, sample.nothing.dtype)
    return SceneHeader(
        location=location,
        name=location.name,
        kind=dataset.driver.replace("GTiff", "GeoTIFF"),
        grid=grid,
        band_names=options.model_bands,
        files=(BandFile(location, selection),),
        radiometry=radiometry,
        warnings=tuple(filter(None, (no_georeference, choice.warning, guess, *filled))),
        sample=sample,
    )


def _take_sample(
    dataset: DatasetReader,
    selection: BandSelection,
    location: Location,
    options: SceneOptions,
    fills: Sequence[Fill] = (),
    overview: bool = True,
) -> Sample:
    """A sample of the scene without fill; empty where nothing needs one."""
    first = selection.indexes[0]
    nothing = np.empty((len(selection.indexes), 0), dataset.dtypes[first - 1])

    def read(window: Window, shape: tuple[int, int] | None = None) -> Pixels:
        numbers, valid = selection.read(dataset, window, shape=shape)
        for fill in fills:
            valid &= ~is_fill(numbers, fill.value)
        return numbers, valid

    stated = {*dataset.scales} != {1.0} or {*dataset.offsets} != {0.0}
    said = options.scale is not None or options.offset is not None
    if options.spec is None and (stated or said):
        return Sample((), nothing)
    return take_sample(
        read,
        dataset.height,
        dataset.width,
        nothing,
        # An overview mixes the numbers of `nodata`, which the file does not declare, with ground.
        has_overviews=overview and not selection.fills and bool(dataset.overviews(first)),
        skip_bad_blocks=not location.is_remote,  # reported only when the map needs them
    )


def _check_is_scene(dataset: DatasetReader, found: Sequence[SceneBand]) -> None:
    """Refuse a map made by geosrseg, and name its scene."""
    tags = dataset.tags()
    of_classes = tags.get("TIFFTAG_IMAGEDESCRIPTION", "").startswith(("Share of", "Probability of"))
    if "GEOSRSEG_MODEL" in tags and (of_classes or found[0].name in MADE):
        scene = tags.get("GEOSRSEG_INPUT", "another file")
        raise SceneError(
            f"it is a map that geosrseg made of {scene}, expected a scene: give {scene} itself"
        )


def check_dataset(dataset: DatasetReader, *, max_pixels: int) -> None:
    """Refuse an open file with too many pixels or bands, or with complex numbers.

    Raises:
        SceneError: says which.
    """
    height, width = dataset.shape
    if height * width > max_pixels:
        raise SceneError(
            f"the file declares {width} x {height} pixels, expected at most {max_pixels}: "
            f"get it again if it should be smaller, or allow it with `max_pixels`"
        )
    if dataset.count > MAX_BANDS:
        raise SceneError(
            f"the file declares {dataset.count} bands, expected at most {MAX_BANDS}: get it again "
            f"if it should have fewer, or store those that the model needs, with gdal_translate -b"
        )
    for dtype in dataset.dtypes:
        if "complex" in dtype:
            raise SceneError(f"its pixels are {dtype}, expected reflectance: real numbers")


def describe_bands(dataset: DatasetReader) -> list[SceneBand]:
    """Every band of an open file."""
    return [
        SceneBand(
            index,
            (name or "").strip() or _name_by_wavelength(dataset, index),
            meaning == ColorInterp.alpha,
        )
        for index, name, meaning in zip(
            dataset.indexes, dataset.descriptions, dataset.colorinterp, strict=True
        )
    ]


def _name_by_wavelength(dataset: DatasetReader, index: int) -> str:
    """The name of a band by the wavelength in GDAL's metadata, if it is stated there."""
    try:
        return name_of_wavelength(float(dataset.tags(index, ns="IMAGERY")["CENTRAL_WAVELENGTH_UM"]))
    except (KeyError, ValueError):
        return ""


def grid_of(dataset: DatasetReader) -> tuple[Grid, str]:
    """The source grid, and a warning where the map cannot keep the file's georeference."""
    crs, transform = _crs(dataset), dataset.transform
    warning = ""
    far_corner = transform @ (dataset.width, dataset.height)
    if transform.is_degenerate or not all(map(math.isfinite, (*transform[:6], *far_corner))):
        crs, transform = None, Affine.identity()
        warning = "its transform gives pixels no area or position: the map has pixel coordinates"
    elif transform.is_identity:
        gcps, _ = dataset.gcps
        found = "only control points or RPCs" if gcps or dataset.rpcs else "no georeference"
        warning = f"it has {found}: the map has the scene's pixel coordinates"
    elif crs is None:
        warning = "it has no CRS: the map has none either"
    return Grid(crs, transform, *dataset.shape), warning


def _crs(dataset: DatasetReader) -> CRS | None:
    try:
        crs = dataset.crs or None
    except GDAL_ERRORS:
        return None
    if crs is not None:
        try:
            check_wkt(crs.to_wkt())
        except ValueError as error:  # CRSError too
            raise SceneError(f"{error}: assign another, with gdal_edit -a_srs") from error
    return crs
