"""Reads a product's band on a scene's grid where the band has other pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject
from rasterio.windows import Window as RasterioWindow

from geosrseg.core.tiling.windows import Window
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.nodata import is_number
from geosrseg.raster.storage.gdal import unreferenced_allowed

MARGIN = 3
"""Pixels of a file around a window that may contribute to it."""

_UNMARKED = 1
"""Stands for flags without a mark, as 0 stands for ground beyond the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """How a band with other pixels, in the CRS of the scene, is read on the scene's grid.

    Attributes:
        grid: the scene's grid.
        own: the file's grid.
        nodata: value of missing pixels, which no mean includes; None where there are none.
        fills: further values of missing pixels, which become `nodata`.
        flags: the values are flags, which cannot be averaged.
    """

    grid: Grid
    own: Grid
    nodata: float | None = None
    fills: tuple[float, ...] = ()
    flags: bool = False

    def __post_init__(self) -> None:
        if self.fills and self.nodata is None:
            raise ValueError(f"{self.fills} need a `nodata` to become")

    @property
    def is_finer(self) -> bool:
        """Whether the file's pixels are finer than the scene's."""
        return abs(self.own.transform.determinant) < abs(self.grid.transform.determinant)

    @property
    def method(self) -> Resampling:
        """Average for finer pixels, bilinear for coarser ones, nearest for flags."""
        if self.flags:
            return Resampling.nearest
        return Resampling.average if self.is_finer else Resampling.bilinear

    def open(self, dataset: DatasetReader) -> "ResampledReader":
        """Wrap an open file so that it is read on `grid`.

        The VRT exists in memory only and reads no other file.
        """
        vrt = WarpedVRT(
            dataset,
            crs=dataset.crs,
            src_crs=dataset.crs,
            transform=self.grid.transform,
            height=self.grid.height,
            width=self.grid.width,
            resampling=self.method,
            src_nodata=self.nodata,
            nodata=self.nodata,
        )
        return ResampledReader(self, dataset, vrt)


class ResampledReader:
    """Stands in for an open dataset, on another grid.

    Windows are read from the file at once and resampled in memory, because GDAL's VRT would
    decode the same JPEG 2000 block many times. Only reduced copies are read through the VRT,
    which does not know `Resampled.fills`: a mean on their border may include them.
    """

    def __init__(self, how: Resampled, dataset: DatasetReader, vrt: WarpedVRT) -> None:
        self._how = how
        self._dataset = dataset
        self._vrt = vrt

    def __enter__(self) -> "ResampledReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._vrt.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vrt, name)

    def read(
        self,
        indexes: int | Sequence[int],
        *,
        window: RasterioWindow | None = None,
        out_shape: tuple[int, ...] | None = None,
        resampling: Resampling = Resampling.nearest,
    ) -> NDArray[np.generic]:
        """Same as `DatasetReader.read`."""
        if out_shape is not None or window is None:
            return self._vrt.read(
                indexes, window=window, out_shape=out_shape, resampling=resampling
            )
        wanted = Window(window.row_off, window.col_off, window.height, window.width)
        bands = [indexes] if isinstance(indexes, int) else list(indexes)
        found = self._resampled(
            bands, self._how.grid.part(wanted), self._without_fills, self._how.method
        )
        return found[0] if isinstance(indexes, int) else found

    def read_marked(
        self,
        index: int,
        is_marked: Callable[[NDArray[np.generic]], NDArray[np.bool_]],
        window: Window,
    ) -> NDArray[np.bool_]:
        """(rows, cols) True where any of the flags that a pixel covers is marked.

        A pixel of a band is the mean of all finer pixels that it covers, so one of them marks it.
        """

        def marked(flags: NDArray[np.generic]) -> NDArray[np.generic]:
            return is_marked(flags) + np.uint8(_UNMARKED)

        method = Resampling.max if self._how.is_finer else Resampling.nearest
        found = self._resampled([index], self._how.grid.part(window), marked, method)[0]
        outside = is_marked(np.zeros(1, self._dataset.dtypes[index - 1]))
        return np.where(found == 0, outside, found > _UNMARKED)

    def _without_fills(self, numbers: NDArray[np.generic]) -> NDArray[np.generic]:
        if not self._how.fills:
            return numbers
        missing = np.zeros(numbers.shape, np.bool_)
        for value in self._how.fills:
            missing |= np.isfinite(numbers) & ~is_number(numbers, value)
        return np.where(missing, np.asarray(self._how.nodata).astype(numbers.dtype), numbers)

    def _resampled(
        self,
        bands: list[int],
        part: Grid,
        prepare: Callable[[NDArray[np.generic]], NDArray[np.generic]],
        method: Resampling,
    ) -> NDArray[np.generic]:
        """(bands, rows, cols) of a part of the grid, from what `prepare` makes of the file's."""
        how = self._how
        shape = len(bands), part.height, part.width
        source = self._source(part)
        if source is None:
            return np.full(shape, how.nodata or 0, self._dataset.dtypes[bands[0] - 1])
        numbers = prepare(
            self._dataset.read(bands, window=RasterioWindow.from_slices(source.rows, source.cols))
        )
        found = np.full(shape, how.nodata or 0, numbers.dtype)
        with unreferenced_allowed():  # rasterio's own filter is not thread-safe
            reproject(
                numbers,
                found,
                src_transform=how.own.part(source).transform,
                src_crs=self._dataset.crs,
                src_nodata=how.nodata,
                dst_transform=part.transform,
                dst_crs=self._dataset.crs,
                dst_nodata=how.nodata,
                resampling=method,
            )
        return found

    def _source(self, part: Grid) -> Window | None:
        """The file's pixels that contribute to a part of the grid; None where there are none."""
        own = self._how.own
        left, bottom, right, top = part.bounds
        margin = MARGIN * max(abs(own.transform.a), abs(own.transform.e))
        return own.window((left - margin, bottom - margin, right + margin, top + margin))
