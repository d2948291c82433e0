"""Reads rasters on another grid or in another CRS, and compares grids."""

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


TOLERANCE = 1e-3
"""Largest error of a position, in pixels, where the nearest pixel is taken: with GDAL's own, an
eighth, one pixel in a hundred has the class of a neighbour."""


@dataclass(frozen=True, slots=True)
class Warp:
    """How a raster is read on another grid.

    Attributes:
        grid: the grid to read on, which must have a CRS.
        cubic: interpolate, for images; else take the nearest pixel, for classes.
        nodata: value of missing pixels, which interpolation leaves out; None for the value that
            the file declares. Used with `cubic` only.
    """

    grid: Grid
    cubic: bool = False
    nodata: float | None = None

    def open(self, dataset: DatasetReader) -> WarpedVRT:
        """Wrap an open file; pixels outside the file are transparent or nodata.

        The VRT exists in memory only and reads no other file.
        """
        has_alpha = ColorInterp.alpha in dataset.colorinterp
        # Without interpolation nodata is kept, as it may be a class.
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
            **({} if self.cubic else {"tolerance": TOLERANCE}),
        )


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether the pixels of two rasters coincide, as far as their files state it.

    A file without a georeference coincides with any other of the same size.
    """
    if (one.height, one.width) != (other.height, other.width):
        return False
    if one.transform.is_identity or other.transform.is_identity:
        return True
    return one.transform.almost_equals(other.transform, 1e-6) and (
        one.crs is None or other.crs is None or one.crs == other.crs
    )


def check_overlap(grid: Grid, wanted: Grid, *, name: str, of: str) -> None:
    """Refuse a raster on `grid` that cannot be warped to `wanted`, or does not overlap it.

    Args:
        name: the raster's name in the message.
        of: the wanted grid's name in the message.

    Raises:
        DatasetError: a CRS is missing, or the two do not overlap.
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
            f"{where}: one cannot be transformed to the other ({reason(error)})"
        ) from error
    outer = _ordered(wanted)
    if right <= outer[0] or left >= outer[2] or top <= outer[1] or bottom >= outer[3]:
        raise DatasetError(f"{where}: they have no ground in common")


def pixel_ratio(coarse: Grid, fine: Grid) -> tuple[float, float]:
    """Height and width of the middle pixel of `coarse`, in pixels of `fine`."""
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
    """The grid with pixels of `factor` by `factor` pixels; incomplete ones are left out."""
    scaled = grid.transform @ Affine.scale(factor)
    return Grid(grid.crs, scaled, grid.height // factor, grid.width // factor)


def _ordered(grid: Grid) -> tuple[float, float, float, float]:
    """Bounds with the smaller number first, also for a south-up grid."""
    one, two, three, four = grid.bounds
    return min(one, three), min(two, four), max(one, three), max(two, four)


def _shown(grid: Grid) -> str:
    numbers = ", ".join(f"{value:g}" for value in grid.bounds)
    return f"({numbers}) {grid.crs.to_string() if grid.crs else 'without a CRS'}"


def find_warp(path: Path, dataset: DatasetReader, grid: Grid) -> Warp | None:
    """The warp of an open file of classes to the grid of its image; None if they coincide.

    Raises:
        DatasetError: the file cannot be transformed, or does not overlap the image.
    """
    own = Grid.of(dataset)
    if same_grid(own, grid):
        return None
    check_overlap(own, grid, name=str(path), of="its image")
    return Warp(grid)
