"""Resampled: a file read on another grid of the same ground, window by window."""

from collections.abc import Sequence
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
from geosrseg.raster.storage.gdal import unreferenced_allowed

MARGIN = 3
"""Pixels of a file around a window that may have a part in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """How a band of other pixels, in the CRS of the scene, gets onto the scene's grid.

    Attributes:
        grid: the scene's.
        own: the file's.
        nodata: marks missing pixels, which are left out of every mean; None for none.
        flags: its numbers have no mean.
    """

    grid: Grid
    own: Grid
    nodata: float | None = None
    flags: bool = False

    @property
    def method(self) -> Resampling:
        """Finer pixels are averaged by area, coarser ones interpolated, flags taken as they are."""
        if self.flags:
            return Resampling.nearest
        finer = abs(self.own.transform.determinant) < abs(self.grid.transform.determinant)
        return Resampling.average if finer else Resampling.bilinear

    def open(self, dataset: DatasetReader) -> "ResampledReader":
        """The open file on the grid.

        Nothing but the open file is ever read: the VRT is made here and in memory.
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
    """An open file as if it lay on another grid: what is read of scenes is read in the same way.

    A window is cut from the file in one read, and resampled in memory: GDAL's VRT would decode
    the same block of JPEG 2000 many times. Small copies of large windows are the VRT's.

    Args:
        vrt: it on the grid, as GDAL sees it.
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
        """As rasterio's method of this name."""
        if out_shape is not None or window is None:
            return self._vrt.read(
                indexes, window=window, out_shape=out_shape, resampling=resampling
            )
        wanted = Window(window.row_off, window.col_off, window.height, window.width)
        bands = [indexes] if isinstance(indexes, int) else list(indexes)
        found = self._resampled(bands, self._how.grid.part(wanted))
        return found[0] if isinstance(indexes, int) else found

    def _resampled(self, bands: list[int], part: Grid) -> NDArray[np.generic]:
        """(bands, rows, cols) on a part of the grid."""
        how = self._how
        dtype = self._dataset.dtypes[bands[0] - 1]
        found = np.full((len(bands), part.height, part.width), how.nodata or 0, dtype)
        source = self._source(part)
        if source is not None:
            with unreferenced_allowed():  # rasterio's own filter is no match for several threads
                reproject(
                    self._dataset.read(
                        bands, window=RasterioWindow.from_slices(source.rows, source.cols)
                    ),
                    found,
                    src_transform=how.own.part(source).transform,
                    src_crs=self._dataset.crs,
                    src_nodata=how.nodata,
                    dst_transform=part.transform,
                    dst_crs=self._dataset.crs,
                    dst_nodata=how.nodata,
                    resampling=how.method,
                )
        return found

    def _source(self, part: Grid) -> Window | None:
        """The pixels of the file that decide on a part of the grid; None where there are none."""
        own = self._how.own
        left, bottom, right, top = part.bounds
        margin = MARGIN * max(abs(own.transform.a), abs(own.transform.e))
        return own.window((left - margin, bottom - margin, right + margin, top + margin))
