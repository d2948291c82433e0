"""BandSelection: the chosen bands of a file, and the nodata, masks and alpha that apply to them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.io import DatasetReader

from geosrseg.core.tiling.windows import Window
from geosrseg.raster.files.grid import rasterio_window
from geosrseg.raster.files.nodata import is_number
from geosrseg.raster.reading import NodataIf

FINENESS = 4
MOST_PIXELS = 2**22
"""Pixels, along each axis and in all, that are read for means that must leave out a `fill`."""


@dataclass(frozen=True, slots=True)
class BandSelection:
    """The bands of a file that a scene uses.

    Attributes:
        indexes: bands of the file, 1-based, in the model's order.
        nodata: the declared value of each, or None.
        alpha: alpha bands, which mark usable pixels.
        masked: bands with a mask of their own; the first of `indexes` alone if all share one.
        fills: further values that mark missing pixels in any band.
        shared_fills: values that mark missing pixels where all bands have them.
        nodata_if: which missing bands make a pixel unusable.
        stand_in: number per band that replaces a missing one in a usable pixel.
    """

    indexes: tuple[int, ...]
    nodata: tuple[float | None, ...]
    alpha: tuple[int, ...]
    masked: tuple[int, ...]
    fills: tuple[float, ...] = ()
    shared_fills: tuple[float, ...] = ()
    nodata_if: NodataIf = "any"
    stand_in: tuple[float, ...] = ()

    @classmethod
    def of(
        cls, dataset: DatasetReader, indexes: tuple[int, ...], *, fill: float | None = None
    ) -> "BandSelection":
        """Select bands of an open file; `fill` is the nodata of bands that declare none.

        GDAL treats the fourth of four 8-bit bands as alpha; a selected band never counts as alpha.
        """
        alpha = tuple(
            index
            for index, meaning in zip(dataset.indexes, dataset.colorinterp, strict=True)
            if meaning == ColorInterp.alpha and index not in indexes
        )
        return cls(
            indexes=indexes,
            nodata=tuple(
                fill if nodata is None else nodata
                for nodata in (dataset.nodatavals[index - 1] for index in indexes)
            ),
            alpha=alpha,
            masked=_masked(dataset, indexes),
        )

    @property
    def is_declared(self) -> bool:
        """Whether the file says which of its pixels are missing."""
        return bool(self.alpha or self.masked or set(self.nodata) != {None})

    def read(
        self,
        dataset: DatasetReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read digital numbers and their validity.

        Args:
            window: the part to read; None for all.
            shape: (rows, cols) to average the pixels to.

        Returns:
            (bands, rows, cols) in the file's dtype, and valid (rows, cols): True where every
            band is a number that neither nodata, mask nor alpha excludes. Other values of
            `nodata_if` make that any band, or every pixel.
        """
        numbers, present = self._present(dataset, window, shape)
        if self.nodata_if == "any":
            return numbers, np.logical_and.reduce(present)
        self.fill(numbers, ~present)
        if self.nodata_if == "all":
            return numbers, np.logical_or.reduce(present)
        return numbers, np.ones(present.shape[1:], np.bool_)

    def present(
        self,
        dataset: DatasetReader,
        window: Window | None = None,
        *,
        shape: tuple[int, int] | None = None,
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(bands, rows, cols) True where a band has a number, and (rows, cols) where any has."""
        _, present = self._present(dataset, window, shape)
        return present, np.logical_or.reduce(present)

    def fill(self, numbers: NDArray[np.generic], missing: NDArray[np.bool_]) -> None:
        """Write the stand-ins into missing pixels.

        Args:
            numbers: (bands, rows, cols), changed in place.
            missing: (bands, rows, cols), or (rows, cols) for all bands.
        """
        for band, lost, value in zip(
            numbers, np.broadcast_to(missing, numbers.shape), self.stand_in, strict=True
        ):
            band[lost] = _nearest(value, band.dtype)

    def _present(
        self, dataset: DatasetReader, window: Window | None, shape: tuple[int, int] | None
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Digital numbers, and (bands, rows, cols) where each of them is usable."""
        if shape is None or not (self.fills or self.shared_fills):
            how = Resampling.average if shape else Resampling.nearest
            return self._read(dataset, window, shape, how)
        # GDAL's means leave out only what the file declares.
        size = (window.height, window.width) if window else dataset.shape
        most = min(FINENESS, max(math.isqrt(MOST_PIXELS // (shape[0] * shape[1])), 1))
        rows, cols = (
            min(max(whole // part, 1), most) for whole, part in zip(size, shape, strict=True)
        )
        finer = shape[0] * rows, shape[1] * cols
        return _averaged(*self._read(dataset, window, finer, Resampling.nearest), (rows, cols))

    def _read(
        self,
        dataset: DatasetReader,
        window: Window | None,
        shape: tuple[int, int] | None,
        how: Resampling,
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        bands = [*self.indexes, *self.alpha]
        options = {"window": window and rasterio_window(window), "resampling": how}
        # One call for all bands, so that an interleaved block is decoded once.
        found = dataset.read(bands, out_shape=shape and (len(bands), *shape), **options)
        numbers, alphas = found[: len(self.indexes)], found[len(self.indexes) :]
        present = np.empty(numbers.shape, np.bool_)
        present[:] = (alphas != 0).all(axis=0)
        for band, usable, nodata in zip(numbers, present, self.nodata, strict=True):
            for value in (nodata, *self.fills):
                usable &= is_number(band, value)
        for value in self.shared_fills:
            if (numbers[0] == value).any():
                present &= (numbers != value).any(axis=0)
        for index in self.masked:
            usable = dataset.read_masks(index, out_shape=shape, **options) != 0
            if self.masked == self.indexes[:1]:  # of all bands
                present &= usable
            else:
                present[self.indexes.index(index)] &= usable
        return numbers, present


def _nearest(value: float, dtype: np.dtype[np.generic]) -> float:
    """The nearest number that a type can hold."""
    if dtype.kind == "f":
        return value
    limits = np.iinfo(np.dtype(dtype.name).type(0))
    return min(max(round(value), limits.min), limits.max)


def _masked(dataset: DatasetReader, indexes: tuple[int, ...]) -> tuple[int, ...]:
    """See `BandSelection.masked`; GDAL has no flag for a mask of a single band."""
    flags = [dataset.mask_flag_enums[index - 1] for index in indexes]
    if MaskFlags.per_dataset in flags[0] and MaskFlags.alpha not in flags[0]:
        return indexes[:1]
    return tuple(index for index, its in zip(indexes, flags, strict=True) if not its)


def _averaged(
    numbers: NDArray[np.generic], present: NDArray[np.bool_], steps: tuple[int, int]
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """The means of what is present in each rectangle of `steps` pixels, and where there is any."""
    (bands, height, width), (rows, cols) = numbers.shape, steps
    parts = (height // rows, rows, width // cols, cols)
    counts = present.reshape(bands, *parts).sum(axis=(2, 4))
    sums = [
        np.where(usable, band, 0).reshape(parts).sum(axis=(1, 3), dtype=np.float64)
        for band, usable in zip(numbers, present, strict=True)
    ]
    means = np.stack(sums) / np.maximum(counts, 1)
    means = means if numbers.dtype.kind == "f" else np.rint(means)
    return means.astype(numbers.dtype), counts > 0
