"""Resampled: a file read on another grid of the same ground, window by window."""

from dataclasses import dataclass

from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT

from geosrseg.raster.files.grid import Grid


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

    def open(self, dataset: DatasetReader) -> WarpedVRT:
        """The open file on the grid.

        Nothing but the open file is ever read: the VRT is made here and in memory.
        """
        return WarpedVRT(
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
