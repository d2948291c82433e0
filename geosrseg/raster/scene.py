"""Scene: one acquisition, read window by window."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from geosrseg.core.normalize import Radiometry
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files.dataset import named
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.aoi import inside, read_aoi
from geosrseg.raster.header.bad_blocks import BadBlocks, Pixels
from geosrseg.raster.header.fill import check_nodata
from geosrseg.raster.header.header import SceneHeader, SceneOptions, read_file_header
from geosrseg.raster.header.judgement import compared
from geosrseg.raster.header.missing import MOST, describe_losses, with_nodata_if
from geosrseg.raster.header.quality import check_mask
from geosrseg.raster.header.sample import Part, take_sample
from geosrseg.raster.reading import Reading
from geosrseg.raster.scene_files import SceneFiles, open_files
from geosrseg.raster.sensors.product_header import read_product_header
from geosrseg.raster.sensors.recognition import find_product
from geosrseg.raster.storage.gdal import GDAL_ERRORS
from geosrseg.raster.storage.location import Location

_UNREADABLE: tuple[type[Exception], ...] = (SceneError, *GDAL_ERRORS)


class Scene:
    """An open scene, for use by one thread; other threads get handles from `reopen`."""

    def __init__(self, header: SceneHeader, files: SceneFiles) -> None:
        self.header = header
        self._files = files

    @property
    def bad_blocks(self) -> BadBlocks:
        """Blocks that could not be decoded, of all handles of the scene."""
        return self._files.bad_blocks

    @property
    def location(self) -> Location:
        """The file, product or URL; its text form leaves credentials out."""
        return self.header.location

    @property
    def grid(self) -> Grid:
        """The source grid."""
        return self.header.grid

    @property
    def band_names(self) -> tuple[str, ...]:
        """The model's names of the bands, in the order in which `read` returns them."""
        return self.header.band_names

    @property
    def radiometry(self) -> Radiometry:
        """Digital number to reflectance."""
        return self.header.radiometry

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the user, one line each."""
        return self.header.warnings

    def add_unlike(self, found: Iterable[str]) -> None:
        """Add texts that say how the scene differs from the model's training data."""
        texts = tuple(found)
        header = self.header
        self.header = replace(
            header, warnings=(*header.warnings, *texts), unlike=(*header.unlike, *texts)
        )

    @property
    def extent(self) -> Window:
        """The part that a map shows: the whole scene, or the box around the area of interest."""
        return self.header.extent or Window(0, 0, self.grid.height, self.grid.width)

    def part(self, window: Window) -> "Scene":
        """Return a window as a scene that shares the open files."""
        grid, outer = self.grid.part(window), self.header.part
        part = window if outer is None else window.outside(outer)
        header = replace(self.header, grid=grid, part=part, extent=None)
        return Scene(header, self._files)

    def reopen(self) -> AbstractContextManager["Scene"]:
        """Open another handle, for another thread, without examining the files again."""
        return open_header(self.header, bad_blocks=self.bad_blocks)

    def read(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read the digital numbers of a window inside the scene.

        Returns:
            (bands, rows, cols) in the file's dtype, and valid (rows, cols): False where
            nodata, a mask, alpha or a quality flag excludes the pixel. Pixels outside the area
            of interest stay valid, because the model uses them as context; see `wanted`.

        Raises:
            SceneError: a block cannot be decoded.
            ValueError: the window reaches beyond the scene.
        """
        if window.row_stop > self.grid.height or window.col_stop > self.grid.width:
            raise ValueError(f"{window} reaches beyond the scene, {self.grid}")
        return self.read_sampled(window)

    def read_decimated(
        self, height: int, width: int, window: Window | None = None
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Read a window averaged to `height` by `width` pixels, from overviews if there are any.

        Args:
            height: rows of the result.
            width: columns of the result.
            window: the part to read; None for the whole scene.

        Returns:
            Digital numbers and valid, as from `read`.

        Raises:
            SceneError: a block cannot be decoded.
        """
        whole = Window(0, 0, self.grid.height, self.grid.width)
        return self.read_sampled(window or whole, (height, width))

    def wanted(self, window: Window, *, factor: int = 1) -> NDArray[np.bool_]:
        """Return (factor · rows, factor · cols): True inside the area of interest."""
        return inside(self.header.aoi, self.grid.refined(factor), window.scaled(factor))

    def reached(self, window: Window) -> NDArray[np.bool_]:
        """Return (rows, cols): True where the area of interest touches the pixel."""
        return inside(self.header.aoi, self.grid, window, all_touched=True)

    @property
    def has_overviews(self) -> bool:
        """True if every file has overviews, so that reading a decimated copy is cheap."""
        return self._files.has_overviews

    def read_sampled(self, window: Window, shape: tuple[int, int] | None = None) -> Pixels:
        """Read a window as `read` does, averaged to `shape` unless that is None."""
        return self._files.read(self._in_file(window), shape)

    def wanted_of(self, part: Part) -> NDArray[np.bool_]:
        """Return (rows, cols) of a part of a sample: True inside the area of interest."""
        if part.valid.shape == (part.window.height, part.window.width):
            return self.wanted(part.window)
        return self._wanted_decimated(*part.valid.shape)

    def _wanted_decimated(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return (height, width) for the whole scene: True inside the area of interest."""
        rows = np.arange(height) * self.grid.height // height
        cols = np.arange(width) * self.grid.width // width
        lines = [self.wanted(Window(int(row), 0, 1, self.grid.width))[0, cols] for row in rows]
        return np.stack(lines)

    def read_masked(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return (height, width) sampled from the scene: True outside the aoi or flagged.

        Raises:
            SceneError: a block cannot be decoded.
        """
        whole = Window(0, 0, self.grid.height, self.grid.width)
        unmasked = self._files.read_unmasked(self._in_file(whole), (height, width))
        return ~(self._wanted_decimated(height, width) & unmasked)

    def _in_file(self, window: Window) -> Window:
        """Convert a window of the scene to one that counts from the origin of its files."""
        return window if self.header.part is None else window.outside(self.header.part)


@contextmanager
def open_scene(
    path: str | Path | Location,
    *,
    model_bands: tuple[str, ...],
    spec: ModelSpec | None = None,
    reading: Reading | None = None,
    **changes: Any,
) -> Iterator[Scene]:
    """Open a scene and match it to a model.

    Args:
        path: a GeoTIFF or COG, a product that a sensor recognises (a folder or an archive), or
            its STAC item. A file or an item may be an ``https://`` or ``http://`` URL, a file
            also ``s3://``.
        model_bands: names of the model's bands, in the model's order.
        spec: if given, the scene is compared with the data that this model was trained on.
        reading: how to read the scene; None for the defaults of `Reading`.
        changes: fields of `Reading` that replace those of `reading`.

    Raises:
        SceneError: the scene cannot be read, or does not suit the model.
    """
    location = Location.of(path)
    reading = replace(reading or Reading(), **changes)
    options = SceneOptions(
        model_bands=model_bands,
        bands=reading.chosen_bands,
        scale=reading.scale,
        offset=reading.offset,
        mask=check_mask(reading.masked),
        max_pixels=reading.max_pixels,
        nodata=check_nodata(reading.nodata_values),
        spec=spec,
        any_resolution=reading.any_resolution,
    )
    with rasterio.Env():  # keeps GDAL's own messages off stderr while the scene is open
        header = examine_scene(location, options)
        with named(location):
            if reading.aoi is not None:
                header = _cut(header, reading, factor=spec.upscale_factor if spec else 1)
            if spec is not None:
                values, usable = _sampled(header)
                header = compared(header, values, spec, options)
                if reading.nodata_if == "any" and usable < MOST:
                    header = _with_losses(header)
            header = with_nodata_if(header, reading.nodata_if, spec)
        header = replace(header, sample=None)
        with open_header(header, bad_blocks=BadBlocks(skip=reading.skip_bad_blocks)) as scene:
            yield scene


def _cut(header: SceneHeader, reading: Reading, *, factor: int) -> SceneHeader:
    """Add the area of interest and, if the map is cropped, the extent of the map."""
    area = read_aoi(reading.aoi, header.grid, factor=factor)
    extent = area.extent(header.grid, factor=factor) if reading.aoi_extent == "crop" else None
    return replace(header, aoi=area, extent=extent)


def _with_losses(header: SceneHeader) -> SceneHeader:
    """Add a warning for each band that alone makes most of the scene nodata."""
    try:
        with open_files(header, bad_blocks=BadBlocks(skip=False)) as files:
            losses = describe_losses(header, files.bands, has_overviews=files.has_overviews)
    except _UNREADABLE:
        return header  # reading the scene will report what cannot be decoded
    return replace(header, warnings=(*header.warnings, *losses))


def _sampled(header: SceneHeader) -> tuple[NDArray[np.generic], float]:
    """Return (bands, pixels) valid digital numbers in the aoi, and the share that is valid.

    Returns no numbers if a block cannot be decoded.
    """
    nothing = np.empty((len(header.band_names), 0))
    try:
        with open_header(header, bad_blocks=BadBlocks(skip=False)) as scene:
            height, width = header.grid.height, header.grid.width
            sample = header.sample or take_sample(
                scene.read_sampled, height, width, nothing, has_overviews=scene.has_overviews
            )
            return sample.where(scene.wanted_of).values, sample.usable
    except SceneError:
        return nothing, 1.0  # reading the scene will report what cannot be decoded


def examine_scene(location: Location, options: SceneOptions) -> SceneHeader:
    """Read the header of a file or product.

    Raises:
        SceneError: the scene cannot be read, or does not suit the model.
    """
    with named(location):
        product = find_product(location)
        if product is None:
            return read_file_header(location, options)
        return read_product_header(location, product, options)


@contextmanager
def open_header(header: SceneHeader, *, bad_blocks: BadBlocks) -> Iterator[Scene]:
    """Open a scene from its header, made in this process or another.

    Raises:
        SceneError: a file no longer exists.
    """
    with open_files(header, bad_blocks=bad_blocks) as files:
        yield Scene(header, files)
