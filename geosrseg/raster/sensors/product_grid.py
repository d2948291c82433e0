"""Chooses the grid of a product whose bands differ in pixel size."""

from collections.abc import Sequence

from affine import Affine

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.resampling import Resampled
from geosrseg.raster.sensors.product import SensorProduct
from geosrseg.raster.storage.location import Location

_SAME = 1e-3
"""Largest shift, in pixels, between files of one grid; their tags are rounded."""


def product_grid(
    grids: Sequence[Grid], product: SensorProduct, spec: ModelSpec | None
) -> tuple[Grid, tuple[str, ...]]:
    """Choose the grid on which all bands are read.

    The grid is that of the finest band, or one of the product's coarser sizes if the model is
    for that size and not for the finest.

    Args:
        grids: the grids of the chosen bands.
        spec: the model's; without it, the finest band decides.

    Returns:
        The grid, and notes for the user on how bands are resampled.
    """
    finest = min(grids, key=_size)
    size = _size(finest)
    wanted = size if spec is None else _wanted(size, product, spec)
    grid = finest if wanted == size else _coarser(finest, wanted)
    sizes = sorted({_size(each) for each in grids})
    return grid, tuple(_notes(sizes, wanted, spec))


def _wanted(size: float, product: SensorProduct, spec: ModelSpec) -> float:
    domain = spec.domain
    if not domain.resolutions or domain.is_offered_for(size):
        return size
    fitting = [each for each in sorted(product.coarser) if each > size]
    learned = [each for each in fitting if domain.learned_from(each)]
    offered = [each for each in fitting if domain.is_offered_for(each)]
    return next(iter((*learned, *offered)), size)


def _notes(sizes: Sequence[float], wanted: float, spec: ModelSpec | None) -> list[str]:
    finer = [f"{each:g}" for each in sizes if each < wanted]
    coarser = [f"{each:g}" for each in sizes if each > wanted]
    notes = []
    if finer and spec is not None:
        notes.append(
            f"its bands of {' and '.join(finer)} m are averaged to the {wanted:g} m that "
            f"{spec.name} is for"
        )
    if coarser:
        notes.append(f"its bands of {' and '.join(coarser)} m are interpolated to {wanted:g} m")
    return notes


def _size(grid: Grid) -> float:
    """Return the side of a pixel in units of the CRS, normally metres."""
    return float(round(abs(grid.transform.determinant) ** 0.5, 6))


def _coarser(grid: Grid, size: float) -> Grid:
    """Return the grid with larger pixels from the same corner, without partial pixels."""
    factor = size / _size(grid)
    height, width = (max(int(side / factor + _SAME), 1) for side in (grid.height, grid.width))
    return Grid(grid.crs, grid.transform @ Affine.scale(factor), height, width)


def on_grid(
    own: Grid, grid: Grid, *, missing: Sequence[float] = (), flags: bool = False
) -> Resampled | None:
    """Describe the resampling of a file to the scene's grid; None if it lies on that grid.

    Args:
        missing: values of missing pixels; the first will stand for all.
    """
    if _same(own, grid):
        return None
    nodata, fills = next(iter(missing), None), tuple(missing[1:])
    return Resampled(grid=grid, own=own, nodata=nodata, fills=fills, flags=flags)


def check_same_grid(
    location: Location, grid: Grid, other: Location, expected: Grid, *, exact: object
) -> None:
    """Refuse a file that does not cover the same ground as the scene.

    Args:
        location: the file.
        grid: the grid of the file.
        other: a file of the scene, named in the message.
        expected: the grid of the scene.
        exact: if true, the pixels must be the same, too.

    Raises:
        SceneError: the grids differ.
    """
    if not (_same(grid, expected) if exact else _same_ground(grid, expected)):
        raise SceneError(
            f"{location}: has {grid.width} x {grid.height} pixels at {grid.bounds} in "
            f"{grid.crs}, and {other.name} {expected.width} x {expected.height} at "
            f"{expected.bounds} in {expected.crs}: expected one grid, get the product again"
        )


def _same(grid: Grid, other: Grid) -> bool:
    offsets = ~other.transform @ grid.transform
    same_place = offsets.almost_equals(offsets.identity(), _SAME / max(grid.height, grid.width))
    same_size = (grid.height, grid.width) == (other.height, other.width)
    return same_size and same_place and grid.crs == other.crs


def _same_ground(grid: Grid, other: Grid) -> bool:
    """True if the bounds differ by at most a pixel of the coarser grid."""
    left_over = max(_size(grid), _size(other)) * 1.01
    apart = (abs(a - b) for a, b in zip(grid.bounds, other.bounds, strict=True))
    return grid.crs == other.crs and max(apart) <= left_over
