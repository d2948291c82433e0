"""SceneHeader: all that must be known of a scene to read it."""

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
from geosrseg.raster.bands import SceneBand, choose_bands
from geosrseg.raster.grid import Grid
from geosrseg.raster.radiometry import find_radiometry
from geosrseg.raster.selection import BandSelection

MAX_BLOCK_BYTES = 2**30
"""The largest block: GDAL holds all of it to read a single pixel, and a damaged header
may declare any size."""


@dataclass(frozen=True, slots=True)
class SceneHeader:
    """A scene without an open file; threads and processes may share it.

    Attributes:
        path: the file.
        grid: the source grid.
        band_names: the model's names, in its order.
        selection: the bands of the file, in the same order.
        radiometry: digital number to reflectance.
        warnings: what a user should hear about, one line each.
    """

    path: Path
    grid: Grid
    band_names: tuple[str, ...]
    selection: BandSelection
    radiometry: Radiometry
    warnings: tuple[str, ...]


def read_header(
    dataset: DatasetReader,
    path: Path,
    *,
    model_bands: tuple[str, ...],
    bands: str | None,
    scale: float | None,
    offset: float | None,
    max_pixels: int,
) -> SceneHeader:
    """Examine an open file; see `open_scene` for the arguments.

    Raises:
        SceneError: the file is too large, or lacks what the model needs.
    """
    _check_size(dataset, max_pixels=max_pixels)
    _check_dtypes(dataset)
    choice = choose_bands(_bands(dataset), model_bands=model_bands, option=bands)
    _check_blocks(dataset, choice.indexes)
    selection = BandSelection.of(dataset, choice.indexes)
    grid, no_georeference = _grid(dataset)
    radiometry, guess = find_radiometry(dataset, selection, scale=scale, offset=offset)
    order = f"its bands have no names: taken in order for {', '.join(model_bands)}"
    warnings = (no_georeference, order if choice.guessed else "", guess)
    return SceneHeader(
        path=path,
        grid=grid,
        band_names=model_bands,
        selection=selection,
        radiometry=radiometry,
        warnings=tuple(filter(None, warnings)),
    )


def _check_size(dataset: DatasetReader, *, max_pixels: int) -> None:
    height, width = dataset.shape
    if height * width > max_pixels:
        raise SceneError(
            f"the file declares {width} x {height} pixels, expected at most {max_pixels}: "
            f"cut it into parts, or get it again if it should be smaller"
        )


def _check_dtypes(dataset: DatasetReader) -> None:
    for dtype in dataset.dtypes:
        if "complex" in dtype:
            raise SceneError(f"its pixels are {dtype}, expected reflectance: real numbers")


def _bands(dataset: DatasetReader) -> list[SceneBand]:
    return [
        SceneBand(index, (name or "").strip(), meaning == ColorInterp.alpha)
        for index, name, meaning in zip(
            dataset.indexes, dataset.descriptions, dataset.colorinterp, strict=True
        )
    ]


def _check_blocks(dataset: DatasetReader, indexes: tuple[int, ...]) -> None:
    rows, cols = dataset.block_shapes[indexes[0] - 1]
    samples = dataset.count if dataset.profile.get("interleave") == "pixel" else 1
    size = rows * cols * samples * np.dtype(dataset.dtypes[indexes[0] - 1]).itemsize
    if size > MAX_BLOCK_BYTES:
        raise SceneError(
            f"it is stored in blocks of {cols} x {rows} pixels, {size} bytes each, expected "
            f"at most {MAX_BLOCK_BYTES}: store it in tiles, with gdal_translate -co TILED=YES"
        )


def _grid(dataset: DatasetReader) -> tuple[Grid, str]:
    """The source grid, and what of the georeference a finer grid cannot take over."""
    crs, transform = _crs(dataset), dataset.transform
    warning = ""
    if transform.is_degenerate:
        crs, transform = None, Affine.identity()
        warning = "its pixels have no area on the ground: the map has pixel coordinates"
    elif transform.is_identity:
        gcps, _ = dataset.gcps
        found = "only control points or RPCs" if gcps or dataset.rpcs else "no georeference"
        warning = f"it has {found}: the map has the scene's pixel coordinates"
    elif crs is None:
        warning = "it has no CRS: the map has none either"
    return Grid(crs, transform, *dataset.shape), warning


def _crs(dataset: DatasetReader) -> CRS | None:
    try:
        return dataset.crs or None
    except CRSError:
        return None
