"""Writes an array to a GeoTIFF in memory, so that it can be read like any other scene."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.io import MemoryFile

from geosrseg.errors import SceneError
from geosrseg.raster.header.fill import describe_unheld
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.raster.storage.location import Location
from geosrseg.raster.xarrays import array_of, is_data_array

if TYPE_CHECKING:
    import xarray

    Pixels: TypeAlias = NDArray[np.generic] | xarray.DataArray
    """A NumPy array, a masked one, or an xarray DataArray."""
    Crs: TypeAlias = CRS | str | int | dict[str, Any] | None
    """Any form of a CRS that rasterio accepts."""


_UNUSABLE: tuple[type[Exception], ...] = (*GDAL_ERRORS, TypeError, ValueError)


@contextmanager
def array_file(
    array: "Pixels",
    *,
    transform: Any = None,
    crs: "Crs" = None,
    nodata: float | None = None,
    band_names: Sequence[str] = (),
) -> Iterator[Location]:
    """Yield a location at which the array can be read as a scene until the block ends.

    Args:
        array: (bands, rows, cols), or (rows, cols) for one band.
        transform: pixel to ground, an Affine or its six numbers.

    Raises:
        SceneError: the array, transform, CRS, nodata or band names are unusable.
    """
    scales: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    if is_data_array(array):
        found = array_of(array)
        array, scales, offsets = found.values, found.scales, found.offsets
        transform, crs = transform or found.transform, crs or found.crs
        nodata = found.nodata if nodata is None else nodata
        band_names = band_names or found.band_names
    values, masked = _values(array)
    _check_nodata(nodata, values.dtype)
    if masked is not None and (masked != masked[0]).any():  # a GeoTIFF has one mask for all bands
        values, nodata = _with_nodata(values, masked, nodata)
        masked = None
    if band_names and len(band_names) != len(values):
        raise SceneError(
            f"{len(band_names)} `band_names` for an array of {len(values)} bands: name each band"
        )
    profile = {
        "driver": "GTiff",
        "dtype": values.dtype.name,
        "count": len(values),
        "height": values.shape[1],
        "width": values.shape[2],
        "transform": _transform(transform),
        "crs": _crs(crs),
        "nodata": nodata,
        "photometric": "MINISBLACK",  # GDAL would take four uint8 bands for RGB and alpha
    }
    with MemoryFile() as memory:
        try:
            # The mask is stored inside the file: the reader does not look for a .msk file.
            with (
                unreferenced_allowed(),
                rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
                memory.open(**profile) as dataset,
            ):
                dataset.write(values)
                dataset.descriptions = tuple(band_names) or (None,) * len(values)
                if scales:
                    dataset.scales, dataset.offsets = scales, offsets
                if masked is not None:
                    dataset.write_mask(~masked[0])
        except _UNUSABLE as error:
            raise SceneError(f"the array cannot be a scene ({reason(error)})") from error
        yield Location(memory.name, in_memory=True)


def _values(array: Any) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
    """Return (bands, rows, cols) in a dtype of GeoTIFF, and where each is masked, if it can be."""
    values = np.ma.getdata(array)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or 0 in values.shape or values.dtype.kind not in "iuf":
        raise SceneError(
            f"an array of {values.dtype} {values.shape}: expected numbers (bands, rows, cols)"
        )
    masked: NDArray[np.bool_] | None = None
    if np.ma.isMaskedArray(array):
        masked = np.ma.getmaskarray(array).reshape(values.shape)
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    return np.asarray(values, values.dtype.newbyteorder("=")), masked


def _check_nodata(nodata: float | None, dtype: np.dtype[np.generic]) -> None:
    for fault in describe_unheld([] if nodata is None else [float(nodata)], dtype):
        raise SceneError(f"{fault}: give the value that its missing pixels have, or none")


def _with_nodata(
    values: NDArray[np.generic], masked: NDArray[np.bool_], nodata: float | None
) -> tuple[NDArray[np.generic], float]:
    """Write nodata into each masked number; if none is declared, a number that no other has."""
    if nodata is None and values.dtype.kind == "f":
        nodata = math.nan
    elif nodata is None:
        limits = np.iinfo(values.dtype.name)
        used = values[~masked]
        if used.min(initial=limits.max) > limits.min:
            nodata = limits.min
        elif used.max() < limits.max:
            nodata = limits.max
        else:  # as in 8-bit images
            values = values.astype(f"i{min(2 * values.itemsize, 8)}")
            nodata = np.iinfo(values.dtype.name).min
    return np.where(masked, values.dtype.type(nodata), values), nodata


def _transform(transform: Any) -> Affine:
    if transform is None:
        return Affine.identity()
    try:
        return Affine(*tuple(transform)[:6])
    except (TypeError, ValueError) as error:
        raise SceneError(
            f"`transform` {transform!r}: expected an Affine or its six numbers"
        ) from error


def _crs(crs: "Crs") -> CRS | None:
    try:
        return None if crs is None else CRS.from_user_input(crs)
    except (CRSError, TypeError, ValueError) as error:
        raise SceneError(f"`crs` {crs!r}: is not a CRS ({reason(error)})") from error
