"""Converts rasters from and to xarray DataArrays, by the conventions of rioxarray."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from geosrseg.errors import SceneError
from geosrseg.extras import extra
from geosrseg.raster.files.grid import Grid

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True, eq=False)
class FoundArray:
    """Contents of a DataArray.

    Attributes:
        values: (bands, rows, cols), or (rows, cols).
        transform: pixel to ground.
        nodata: the number that marks missing pixels; None if undeclared.
        band_names: one name per band, or empty.
        scale_and_offset: number to reflectance; None if the numbers are not scaled.
    """

    values: NDArray[np.generic]
    transform: Affine
    crs: CRS | None
    nodata: float | None
    band_names: Sequence[str]
    scale_and_offset: tuple[float, float] | None


def is_data_array(array: object) -> "TypeGuard[xarray.DataArray]":
    """True for an object of xarray; does not import xarray."""
    return type(array).__module__.partition(".")[0] == "xarray"


def array_of(array: "xarray.DataArray") -> FoundArray:
    """Read a DataArray.

    Raises:
        SceneError: the object is a Dataset, or its dimensions are not those of a raster.
        MissingExtraError: rioxarray is not installed.
    """
    _import_rioxarray()
    if not hasattr(array, "dims") or not hasattr(array, "values") or callable(array.values):
        raise SceneError("expected an xarray DataArray, got a Dataset: choose one of its arrays")
    try:
        x, y = array.rio.x_dim, array.rio.y_dim
        others = [name for name in array.dims if name not in (x, y)]
        ordered = array.transpose(*others, y, x)
        transform = array.rio.transform(recalc=True)
    except Exception as error:  # rioxarray's errors have no common base class
        raise SceneError(
            f"a DataArray of dimensions {', '.join(map(str, array.dims))}: expected (band, y, x) "
            f"as rioxarray names them ({error})"
        ) from error
    scale = (float(array.attrs.get("scale_factor", 1)), float(array.attrs.get("add_offset", 0)))
    return FoundArray(
        values=ordered.values,
        transform=transform,
        crs=array.rio.crs,
        nodata=array.rio.nodata,
        band_names=_band_names(array, others),
        scale_and_offset=None if scale == (1, 0) else scale,
    )


def data_array(
    values: NDArray[np.generic],
    grid: Grid,
    *,
    nodata: float,
    band_names: Sequence[str],
    attributes: Mapping[str, Any],
) -> "xarray.DataArray":
    """Build a DataArray from (rows, cols) or (bands, rows, cols).

    Raises:
        MissingExtraError: rioxarray is not installed.
    """
    _import_rioxarray()
    import xarray

    dims = ("y", "x") if values.ndim == 2 else ("band", "y", "x")
    coords: dict[str, Any] = {"band": list(band_names)} if values.ndim == 3 else {}
    a, b, c, d, e, f = grid.transform[:6]
    if b == d == 0:
        coords["x"] = ("x", c + a * (np.arange(grid.width) + 0.5))
        coords["y"] = ("y", f + e * (np.arange(grid.height) + 0.5))
    array = xarray.DataArray(values, coords, dims, attrs=dict(attributes))
    array = array.rio.write_transform(grid.transform).rio.write_nodata(nodata)
    return array if grid.crs is None else array.rio.write_crs(grid.crs)


def _band_names(array: "xarray.DataArray", others: Sequence[Any]) -> Sequence[str]:
    """Return ``long_name`` as rioxarray writes it, or the text labels of the band dimension."""
    said = array.attrs.get("long_name", ())
    if not isinstance(said, str) and said:
        return tuple(map(str, said))
    if others and others[0] in array.coords:
        labels = array.coords[others[0]].values.tolist()
        if all(isinstance(label, str) for label in labels):
            return tuple(labels)
    return ()


def _import_rioxarray() -> None:
    with extra("xarray"):
        import rioxarray as rioxarray
