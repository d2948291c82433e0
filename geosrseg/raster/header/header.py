"""SceneHeader: all that must be known of a scene to read it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.errors import CRSError
from rasterio.io import DatasetReader

from geosrseg.core.normalize import Radiometry
from geosrseg.errors import SceneError
from geosrseg.raster.files.dataset import named, open_dataset, read_dataset
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.location import Location
from geosrseg.raster.files.remote import check_redirects
from geosrseg.raster.header.aoi import Aoi
from geosrseg.raster.header.bands import SceneBand, choose_bands
from geosrseg.raster.header.radiometry import find_radiometry
from geosrseg.raster.header.selection import BandSelection
from geosrseg.raster.landsat.quality import QualityFile

MAX_BLOCK_BYTES = 2**29
"""The largest block: GDAL holds all of it to read a single pixel, and a damaged header
may declare any size."""


MAX_BANDS = 10_000
"""Of a file: GDAL takes its time for each of them, whatever is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOptions:
    """What a scene is opened for.

    Attributes:
        model_bands: names of the model's bands, in its order.
        bands: which band of the scene is which band of the model, as in ``--bands``.
        scale: digital number to reflectance, for all bands; wins over what the scene says.
        offset: likewise. If only one of the two is given, the other is 1 or 0.
        mask: what else than fill is not valid in a product, names of `quality.MASKS`.
        max_pixels: a larger scene is refused before anything is allocated.
    """

    model_bands: tuple[str, ...]
    bands: str | None = None
    scale: float | None = None
    offset: float | None = None
    mask: tuple[str, ...] = ()
    max_pixels: int


@dataclass(frozen=True, slots=True)
class BandFile:
    """A file, and the bands of the scene that are in it.

    Attributes:
        location: the file.
        selection: its bands.
    """

    location: Location
    selection: BandSelection


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneHeader:
    """A scene without an open file; threads and processes may share it.

    Attributes:
        location: as the user gave it: a file, a product's folder or tar, an item, a URL.
        name: the product's, whatever form it has, or else the file's.
        kind: what it is, in a few words.
        grid: the source grid.
        band_names: the model's names, in its order.
        files: where the bands are, in the same order.
        quality: files of flags that say which pixels are not valid.
        radiometry: digital number to reflectance.
        aoi: the part that is wanted; None for all.
        warnings: what a user should hear about, one line each.
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
    warnings: tuple[str, ...]

    @property
    def locations(self) -> tuple[Location, ...]:
        """Every file that is read."""
        bands = tuple(file.location for file in self.files)
        return bands + tuple(flags.location for flags in self.quality)

    @property
    def local_paths(self) -> tuple[Path, ...]:
        """Those of them that are on this machine, a tar once."""
        paths = (location.path for location in self.locations if not location.is_remote)
        return tuple(dict.fromkeys(paths))


def read_file_header(location: Location, options: SceneOptions) -> SceneHeader:
    """Examine a single file that holds all bands.

    Raises:
        SceneError: the file cannot be read, is too large, or lacks what the model needs.
    """
    if options.mask:
        raise SceneError(
            f"`mask` {','.join(options.mask)} needs a product's QA_PIXEL: give the folder, "
            f"tar or STAC item of the product, or leave `mask` out"
        )
    check_redirects(location)
    with open_dataset(location) as dataset, named(location):
        return read_dataset(location, lambda: read_header(dataset, location, options))


def read_header(dataset: DatasetReader, location: Location, options: SceneOptions) -> SceneHeader:
    """Examine an open file that holds all bands.

    Raises:
        SceneError: the file is too large, or lacks what the model needs.
    """
    check_dataset(dataset, max_pixels=options.max_pixels)
    found = describe_bands(dataset)
    choice = choose_bands(found, model_bands=options.model_bands, option=options.bands)
    check_blocks(dataset, choice.indexes)
    selection = BandSelection.of(dataset, choice.indexes)
    grid, no_georeference = grid_of(dataset)
    radiometry, guess = find_radiometry(
        dataset,
        selection,
        scale=options.scale,
        offset=options.offset,
        # A block that cannot be decoded is named when it is needed.
        skip_bad_blocks=not location.is_remote,
    )
    order = f"its bands have no names: taken in order for {', '.join(options.model_bands)}"
    return SceneHeader(
        location=location,
        name=location.name,
        kind=dataset.driver.replace("GTiff", "GeoTIFF"),
        grid=grid,
        band_names=options.model_bands,
        files=(BandFile(location, selection),),
        radiometry=radiometry,
        warnings=tuple(filter(None, (no_georeference, order if choice.guessed else "", guess))),
    )


def check_dataset(dataset: DatasetReader, *, max_pixels: int) -> None:
    """Refuse an open file that declares too much, or that holds no real numbers.

    Raises:
        SceneError: says which.
    """
    _check_size(dataset, max_pixels=max_pixels)
    _check_count(dataset)
    _check_dtypes(dataset)


def _check_size(dataset: DatasetReader, *, max_pixels: int) -> None:
    height, width = dataset.shape
    if height * width > max_pixels:
        raise SceneError(
            f"the file declares {width} x {height} pixels, expected at most {max_pixels}: "
            f"get it again if it should be smaller, or allow it with `max_pixels`"
        )


def _check_count(dataset: DatasetReader) -> None:
    if dataset.count > MAX_BANDS:
        raise SceneError(
            f"the file declares {dataset.count} bands, expected at most {MAX_BANDS}: get it again "
            f"if it should have fewer, or store those that the model needs, with gdal_translate -b"
        )


def _check_dtypes(dataset: DatasetReader) -> None:
    for dtype in dataset.dtypes:
        if "complex" in dtype:
            raise SceneError(f"its pixels are {dtype}, expected reflectance: real numbers")


def describe_bands(dataset: DatasetReader) -> list[SceneBand]:
    """Every band of an open file."""
    return [
        SceneBand(index, (name or "").strip(), meaning == ColorInterp.alpha)
        for index, name, meaning in zip(
            dataset.indexes, dataset.descriptions, dataset.colorinterp, strict=True
        )
    ]


def check_blocks(dataset: DatasetReader, indexes: Sequence[int]) -> None:
    """Refuse an open file whose blocks do not fit into memory.

    Raises:
        SceneError: says how large they are.
    """
    rows, cols = dataset.block_shapes[indexes[0] - 1]
    samples = dataset.count if dataset.profile.get("interleave") == "pixel" else 1
    size = rows * cols * samples * np.dtype(dataset.dtypes[indexes[0] - 1]).itemsize
    if size > MAX_BLOCK_BYTES:
        raise SceneError(
            f"it is stored in blocks of {cols} x {rows} pixels, {size} bytes each, expected "
            f"at most {MAX_BLOCK_BYTES}: store it in tiles, with gdal_translate -co TILED=YES"
        )


def grid_of(dataset: DatasetReader) -> tuple[Grid, str]:
    """The source grid, and what of the georeference a finer grid cannot take over."""
    crs, transform = _crs(dataset), dataset.transform
    warning = ""
    if transform.is_degenerate or not _is_finite(transform, dataset.shape):
        crs, transform = None, Affine.identity()
        warning = "its pixels have no area or place on the ground: the map has pixel coordinates"
    elif transform.is_identity:
        gcps, _ = dataset.gcps
        found = "only control points or RPCs" if gcps or dataset.rpcs else "no georeference"
        warning = f"it has {found}: the map has the scene's pixel coordinates"
    elif crs is None:
        warning = "it has no CRS: the map has none either"
    return Grid(crs, transform, *dataset.shape), warning


def _is_finite(transform: Affine, shape: tuple[int, int]) -> bool:
    """Both ends of the diagonal are somewhere."""
    height, width = shape
    return all(math.isfinite(value) for value in (*transform[:6], *transform @ (width, height)))


def _crs(dataset: DatasetReader) -> CRS | None:
    try:
        return dataset.crs or None
    except CRSError:
        return None
