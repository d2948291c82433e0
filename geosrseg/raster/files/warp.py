"""Warp: a raster read on another grid, and in another CRS, window by window."""

from dataclasses import dataclass
from pathlib import Path

from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform, transform_bounds

from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason

_CRS_ERRORS: tuple[type[Exception], ...] = (CRSError, *GDAL_ERRORS)


@dataclass(frozen=True, slots=True)
class Warp:
    """Where a raster is wanted, and how its pixels get there.

    Attributes:
        grid: the grid to read on; it has a CRS.
        cubic: interpolate, for images; else the nearest pixel is taken, for classes.
        nodata: number of pixels without a measurement, which no interpolation may use; None
            for what the file declares, if it is interpolated.
    """

    grid: Grid
    cubic: bool = False
    nodata: float | None = None

    def open(self, dataset: DatasetReader) -> WarpedVRT:
        """The open file on the grid; pixels outside of the file are transparent or nodata.

        Nothing but the open file is ever read: the VRT is made here and in memory.
        """
        has_alpha = ColorInterp.alpha in dataset.colorinterp
        # The nearest pixel's number is kept, also nodata: it may be a class.
        nodata = (dataset.nodata if self.nodata is None else self.nodata) if self.cubic else None
        return WarpedVRT(
            dataset,
            crs=self.grid.crs,
            transform=self.grid.transform,
            height=self.grid.height,
            width=self.grid.width,
            resampling=Resampling.cubic if self.cubic else Resampling.nearest,
            src_nodata=nodata,
            nodata=nodata,
            add_alpha=nodata is None and not has_alpha,
        )


def same_grid(one: Grid, other: Grid) -> bool:
    """True where two rasters lie pixel on pixel, as far as their files say.

    A file without a georeference lies where another one of its size does.
    """
    if (one.height, one.width) != (other.height, other.width):
        return False
    if one.transform.is_identity or other.transform.is_identity:
        return True
    return one.transform.almost_equals(other.transform, 1e-6) and (
        one.crs is None or other.crs is None or one.crs == other.crs
    )


def check_overlap(grid: Grid, wanted: Grid, *, name: str, of: str) -> None:
    """Refuse a raster that cannot be warped, or lies elsewhere.

    Args:
        grid: of the raster.
        wanted: the grid that it is to be read on.
        name: what the raster is called in the error.
        of: what the grid is called.

    Raises:
        DatasetError: a CRS is missing, or nothing of the raster is inside.
    """
    where = (
        f"{name} has {grid.height}x{grid.width} pixels at {_shown(grid)}, {of} "
        f"{wanted.height}x{wanted.width} at {_shown(wanted)}"
    )
    if grid.crs is None or wanted.crs is None:
        raise DatasetError(f"{where}: put both on one grid, or give both files a CRS")
    try:
        left, bottom, right, top = transform_bounds(grid.crs, wanted.crs, *_ordered(grid))
    except _CRS_ERRORS as error:
        raise DatasetError(
            f"{where}: one cannot be brought to the other ({reason(error)})"
        ) from error
    outer = _ordered(wanted)
    if right <= outer[0] or left >= outer[2] or top <= outer[1] or bottom >= outer[3]:
        raise DatasetError(f"{where}: they have no ground in common")


def pixel_ratio(coarse: Grid, fine: Grid) -> tuple[float, float]:
    """Height and width of a pixel of `coarse` in pixels of `fine`, at its middle."""
    row, col = coarse.height / 2, coarse.width / 2
    corners = [coarse.transform @ point for point in ((col, row), (col, row + 1), (col + 1, row))]
    xs, ys = transform(coarse.crs, fine.crs, *map(list, zip(*corners, strict=True)))
    inverse = ~fine.transform
    origin, below, right = (inverse @ point for point in zip(xs, ys, strict=True))
    height, width = (
        ((end[0] - origin[0]) ** 2 + (end[1] - origin[1]) ** 2) ** 0.5 for end in (below, right)
    )
    return height, width


def coarsened(grid: Grid, factor: int) -> Grid:
    """The grid whose pixels are `factor` by `factor` pixels; what is left over is not in it."""
    scaled = grid.transform @ Affine.scale(factor)
    return Grid(grid.crs, scaled, grid.height // factor, grid.width // factor)


def _ordered(grid: Grid) -> tuple[float, float, float, float]:
    """Bounds with the smaller number first, for a south-up grid too."""
    one, two, three, four = grid.bounds
    return min(one, three), min(two, four), max(one, three), max(two, four)


def _shown(grid: Grid) -> str:
    numbers = ", ".join(f"{value:g}" for value in grid.bounds)
    return f"({numbers}) {grid.crs.to_string() if grid.crs else 'without a CRS'}"


def find_warp(path: Path, dataset: DatasetReader, grid: Grid) -> Warp | None:
    """How an open file of classes comes onto the grid of its image; None if it lies there.

    Raises:
        DatasetError: it cannot be brought there.
    """
    own = Grid.of(dataset)
    if same_grid(own, grid):
        return None
    check_overlap(own, grid, name=str(path), of="its image")
    return Warp(grid)
