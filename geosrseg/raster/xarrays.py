"""Converts rasters from and to xarray DataArrays, by the conventions of rioxarray."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError

from geosrseg.core.text.counted import counted
from geosrseg.errors import SceneError
from geosrseg.extras import extra
from geosrseg.raster.files.grid import Grid

if TYPE_CHECKING:
    import xarray

UNEVEN = 0.25
"""Pixels by which a coordinate may differ from even spacing: those of type float32 are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundArray:
    """Contents of a DataArray.

    Attributes:
        values: (bands, rows, cols), or (rows, cols).
        transform: pixel to ground.
        nodata: the number that marks missing pixels; None if undeclared.
        band_names: one name per band, or empty.
        scales: reflectance per number, one per band.
        offsets: reflectance of the number 0, one per band.
    """

    values: NDArray[np.generic]
    transform: Affine
    crs: CRS | None
    nodata: float | None
    band_names: Sequence[str]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]


def is_data_array(array: object) -> "TypeGuard[xarray.DataArray]":
    """True for an object of xarray; does not import xarray."""
    return type(array).__module__.partition(".")[0] == "xarray"


def array_of(array: "xarray.DataArray") -> FoundArray:
    """Read a DataArray.

    Raises:
        SceneError: the object is a Dataset, its dimensions are not those of a raster with pixels
            of one size, or an attribute is unusable.
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
    try:
        crs, nodata = array.rio.crs, array.rio.nodata
    except (CRSError, ValueError, OverflowError) as error:
        raise SceneError(
            f"a DataArray of {array.dtype} whose CRS or nodata is unusable ({error}): correct it "
            "with its `rio.write_crs` or `rio.write_nodata`"
        ) from error
    for name in (x, y):
        _check_even(array, name)
    return FoundArray(
        values=ordered.values,
        transform=transform,
        crs=crs,
        nodata=nodata,
        band_names=_band_names(array, others),
        scales=_of_bands(array, others, "scales", "scale_factor", 1.0),
        offsets=_of_bands(array, others, "offsets", "add_offset", 0.0),
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


def scale_attributes(scales: Sequence[float], offsets: Sequence[float]) -> dict[str, Any]:
    """Return the attributes of scaled numbers: one value for all bands, or one per band."""
    attributes: dict[str, Any] = {}
    for alike, differing, values in (
        ("scale_factor", "scales", scales),
        ("add_offset", "offsets", offsets),
    ):
        if len(set(values)) == 1:
            attributes[alike] = values[0]
        else:
            attributes[differing] = tuple(values)
    return attributes


def _check_even(array: "xarray.DataArray", dimension: Hashable) -> None:
    """Refuse coordinates with gaps: a transform holds only one pixel size."""
    if dimension not in array.coords or array.sizes[dimension] < 3:
        return
    found = array.coords[dimension].values.astype(np.float64)
    even = np.linspace(found[0], found[-1], len(found))
    if np.abs(found - even).max() > UNEVEN * abs(even[1] - even[0]):
        steps = np.abs(np.diff(found))
        raise SceneError(
            f"a DataArray whose {dimension} has steps from {steps.min():g} to {steps.max():g}, "
            "expected pixels of one size: select a range without gaps, or resample the array"
        )


def _of_bands(
    array: "xarray.DataArray", others: Sequence[Any], many: str, one: str, default: float
) -> tuple[float, ...]:
    """Return the attribute `many`, which has a number per band, or else `one`."""
    key = many if many in array.attrs else one
    bands = math.prod(array.sizes[name] for name in others)
    said = array.attrs.get(key, default)
    try:
        numbers = [float(value) for value in np.atleast_1d(said)]
    except (TypeError, ValueError):
        numbers = []
    chosen = numbers * bands if len(numbers) == 1 else _chosen(array, others, numbers)
    if len(chosen) != bands:
        raise SceneError(
            f"its attribute {key} is {said!r}, expected a number, or one for each of "
            f"{counted(bands, 'band')}: correct it"
        )
    return tuple(chosen)


def _chosen(array: "xarray.DataArray", others: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Choose the values of the array's bands from those of the file's.

    A selection keeps the attributes of the whole file, and the numbers that rioxarray gave the
    bands: 1, 2, 3 ...
    """
    coordinate = others[0] if others else "band"
    numbers = (
        np.atleast_1d(array.coords[coordinate].values).tolist()
        if coordinate in array.coords
        else []
    )
    known = range(1, len(values) + 1)
    if len(set(numbers)) == len(numbers) > 0 and all(number in known for number in numbers):
        return [values[int(number) - 1] for number in numbers]
    return list(values)


def _band_names(array: "xarray.DataArray", others: Sequence[Any]) -> Sequence[str]:
    """Return ``long_name`` as rioxarray writes it, or the text labels of the band dimension."""
    said = array.attrs.get("long_name")
    if isinstance(said, list | tuple):
        return tuple(map(str, _chosen(array, others, said)))
    if others and others[0] in array.coords:
        labels = array.coords[others[0]].values.tolist()
        if all(isinstance(label, str) for label in labels):
            return tuple(labels)
    return ()


def _import_rioxarray() -> None:
    with extra("xarray"):
        import rioxarray as rioxarray
