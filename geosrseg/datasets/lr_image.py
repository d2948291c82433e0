"""LrImage: a real LR image of another sensor, read on the LR grid of its native HR image.

Georeferences alone align the two. The LR grid has the HR image's origin and pixels `factor`
times as large. LR images on another grid or in another CRS are resampled onto it by cubic
convolution; images already on it stay unchanged.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.image_format import ImageFormat
from geosrseg.datasets.dataset_image import DatasetImage, open_image
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.files.warp import Warp, check_overlap, coarsened, pixel_ratio
from geosrseg.raster.header.selection import BandSelection

TOLERANCE = 0.05
"""Largest relative deviation of the pixel sizes from an integer ratio. Resampling removes less;
with more, the model would learn another factor than it is used for."""


@dataclass(frozen=True)
class LrImage:
    """A real LR image; see `open_lr_image`.

    Attributes:
        image: the image, resampled onto the LR grid.
        ratio: height and width of its original pixels in HR pixels.
        sizes: pixel sizes of both images, in words.
    """

    image: DatasetImage
    ratio: tuple[float, float]
    sizes: str

    @property
    def factor(self) -> int:
        """HR pixels per LR pixel along each axis."""
        return round(sum(self.ratio) / 2)

    def covers(self, window: Window) -> NDArray[np.bool_]:
        """Return (rows, cols) of a window in HR pixels: True where the LR image is valid."""
        factor, grid = self.factor, self.image.grid
        covered = np.zeros((window.height, window.width), np.bool_)
        common = window.overlap(Window(0, 0, grid.height * factor, grid.width * factor))
        if common:
            row, col = common.row_off // factor, common.col_off // factor
            height, width = -(-common.row_stop // factor) - row, -(-common.col_stop // factor) - col
            lr = Window(row, col, height, width)
            fine = self.image.read_valid(lr).repeat(factor, axis=0).repeat(factor, axis=1)
            own = common.inside(lr.scaled(factor))
            covered[: common.height, : common.width] = fine[own.rows, own.cols]
        return covered

    def check_factor(self, factor: int) -> None:
        """Refuse an upscale factor that differs from that of the two images.

        Raises:
            DatasetError: names both resolutions.
        """
        if any(abs(ratio / factor - 1) > TOLERANCE for ratio in self.ratio):
            height, width = self.ratio
            raise DatasetError(
                f"{self.sizes}: {height:.4g} and {width:.4g} times, expected the upscale factor "
                f"{factor} within {TOLERANCE:.0%}: choose another --upscale, or resample one of "
                "the images"
            )


def open_lr_image(
    path: Path, hr: DatasetImage, *, bands: tuple[str, ...], stored: ImageFormat, files: RasterFiles
) -> LrImage:
    """Open a real LR image and check it.

    Args:
        hr: the native image of the same ground.
        bands: names of the card's bands.
        stored: what the card says of the file.

    Raises:
        DatasetError: the LR image cannot be opened, contradicts the card, has no georeference,
            or does not overlap `hr`.
    """
    own = open_image(path, bands=bands, stored=stored, files=files)
    check_overlap(own.grid, hr.grid, name=str(path), of=str(hr.path))
    ratio = pixel_ratio(own.grid, hr.grid)
    factor = max(round(sum(ratio) / 2), 1)
    if min(hr.grid.height, hr.grid.width) < factor:
        raise DatasetError(
            f"{hr.path} has {hr.grid.height}x{hr.grid.width} pixels, less than one pixel of {path}"
        )
    warp = Warp(coarsened(hr.grid, factor), cubic=True, nodata=stored.nodata)
    with files.use(path, warp) as dataset:
        selection = BandSelection.of(dataset, own.selection.indexes)
    image = replace(own, grid=warp.grid, selection=selection, warp=warp)
    sizes = f"{path} has pixels of {_size(own.grid)}, {hr.path} of {_size(hr.grid)}"
    return LrImage(image, ratio, sizes)


def _size(grid: Grid) -> str:
    """Return width and height of a pixel in CRS units, as text."""
    a, b, _, d, e, _ = grid.transform[:6]
    crs = grid.crs.to_string() if grid.crs else "no CRS"
    return f"{math.hypot(a, d):g} x {math.hypot(b, e):g} ({crs})"
