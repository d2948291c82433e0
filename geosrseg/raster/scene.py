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
    """An open scene. A handle belongs to one thread: let each have its own by `reopen`.

    Args:
        header: what the scene holds.
        files: the open files that the header names.
    """

    def __init__(self, header: SceneHeader, files: SceneFiles) -> None:
        self.header = header
        self._files = files

    @property
    def bad_blocks(self) -> BadBlocks:
        """Those that its handles have met."""
        return self._files.bad_blocks

    @property
    def location(self) -> Location:
        """The file, the product or the URL; as text it holds no credentials."""
        return self.header.location

    @property
    def grid(self) -> Grid:
        """The source grid."""
        return self.header.grid

    @property
    def band_names(self) -> tuple[str, ...]:
        """The model's names of the bands that `read` gives, in order."""
        return self.header.band_names

    @property
    def radiometry(self) -> Radiometry:
        """Digital number to reflectance."""
        return self.header.radiometry

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should hear about, one line each."""
        return self.header.warnings

    def add_unlike(self, found: Iterable[str]) -> None:
        """Note in what else the scene turned out to be unlike the model's training data."""
        texts = tuple(found)
        header = self.header
        self.header = replace(
            header, warnings=(*header.warnings, *texts), unlike=(*header.unlike, *texts)
        )

    @property
    def extent(self) -> Window:
        """The pixels that a map of the scene shows: all, or those around the area of interest."""
        return self.header.extent or Window(0, 0, self.grid.height, self.grid.width)

    def part(self, window: Window) -> "Scene":
        """Some of its pixels as a scene of their own, which has the same open files."""
        grid, outer = self.grid.part(window), self.header.part
        part = window if outer is None else window.outside(outer)
        header = replace(self.header, grid=grid, part=part, extent=None)
        return Scene(header, self._files)

    def reopen(self) -> AbstractContextManager["Scene"]:
        """Another handle, for another thread; nothing is examined again."""
        return open_header(self.header, bad_blocks=self.bad_blocks)

    def read(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Digital numbers of a window, which lies inside the scene.

        Returns:
            (bands, rows, cols) in the file's dtype, and valid (rows, cols): True where
            every band is a number that neither nodata, a mask, alpha nor a quality flag
            excludes. The area of interest excludes nothing here: around it the ground is
            context, see `wanted`.

        Raises:
            SceneError: a block cannot be decoded.
        """
        if window.row_stop > self.grid.height or window.col_stop > self.grid.width:
            raise ValueError(f"{window} reaches beyond the scene, {self.grid}")
        return self._read(window, None)

    def read_decimated(
        self, height: int, width: int, window: Window | None = None
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """A window averaged to `height` by `width` pixels, from overviews if there are any.

        Args:
            height: rows,
            width: and columns of the result.
            window: the part to read; without it, all.

        Returns:
            Digital numbers and valid, as from `read`.

        Raises:
            SceneError: a block cannot be decoded.
        """
        whole = Window(0, 0, self.grid.height, self.grid.width)
        return self._read(window or whole, (height, width))

    def wanted(self, window: Window, *, factor: int = 1) -> NDArray[np.bool_]:
        """(factor · rows, factor · cols) of a window: True inside the area of interest."""
        return inside(self.header.aoi, self.grid.refined(factor), window.scaled(factor))

    def reached(self, window: Window) -> NDArray[np.bool_]:
        """(rows, cols) of a window: True where any of a pixel is in the area of interest."""
        return inside(self.header.aoi, self.grid, window, all_touched=True)

    @property
    def has_overviews(self) -> bool:
        """Reading a whole averaged copy costs little."""
        return self._files.has_overviews

    def read_sampled(self, window: Window, shape: tuple[int, int] | None = None) -> Pixels:
        """A window as `read` gives it, averaged if there is a shape."""
        return self._read(window, shape)

    def wanted_of(self, part: Part) -> NDArray[np.bool_]:
        """(rows, cols) of a part of a sample: True inside the area of interest."""
        if part.valid.shape == (part.window.height, part.window.width):
            return self.wanted(part.window)
        return self._wanted_decimated(*part.valid.shape)

    def _wanted_decimated(self, height: int, width: int) -> NDArray[np.bool_]:
        """(height, width) pixels of the whole: True inside the area of interest."""
        rows = np.arange(height) * self.grid.height // height
        cols = np.arange(width) * self.grid.width // width
        lines = [self.wanted(Window(int(row), 0, 1, self.grid.width))[0, cols] for row in rows]
        return np.stack(lines)

    def read_masked(self, height: int, width: int) -> NDArray[np.bool_]:
        """(height, width), a pixel each: True outside the area of interest or masked by flags.

        Raises:
            SceneError: a block cannot be decoded.
        """
        whole = Window(0, 0, self.grid.height, self.grid.width)
        unmasked = self._files.read_unmasked(self._in_file(whole), (height, width))
        return ~(self._wanted_decimated(height, width) & unmasked)

    def _read(self, window: Window, shape: tuple[int, int] | None) -> Pixels:
        return self._files.read(self._in_file(window), shape)

    def _in_file(self, window: Window) -> Window:
        """A window of the scene, counted from the origin of its files."""
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
            its STAC item. A file or an item may be a URL: ``https://``, ``http://``, and for a
            file ``s3://``.
        model_bands: names of the model's bands, in its order.
        spec: of the model; with it the scene is compared with what the model learned from.
        reading: how to read it; the defaults of `Reading` without it.
        changes: fields of `Reading` by name, in place of its own.

    Raises:
        SceneError: the scene cannot be read, or is not what the model expects.
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
    with rasterio.Env():  # GDAL's own messages stay unheard, as long as the scene is open
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
    """With the area of interest, and where the map is cropped, the pixels around it."""
    area = read_aoi(reading.aoi, header.grid, factor=factor)
    extent = area.extent(header.grid, factor=factor) if reading.aoi_extent == "crop" else None
    return replace(header, aoi=area, extent=extent)


def _with_losses(header: SceneHeader) -> SceneHeader:
    """With a warning for each band that alone makes most of the scene nodata."""
    try:
        with open_files(header, bad_blocks=BadBlocks(skip=False)) as files:
            losses = describe_losses(header, files.bands, has_overviews=files.has_overviews)
    except _UNREADABLE:
        return header  # what cannot be decoded is named when it is needed
    return replace(header, warnings=(*header.warnings, *losses))


def _sampled(header: SceneHeader) -> tuple[NDArray[np.generic], float]:
    """(bands, pixels) valid digital numbers of the wanted part, and which share is valid.

    No numbers where it is damaged.
    """
    nothing = np.empty((len(header.band_names), 0))
    try:
        with open_header(header, bad_blocks=BadBlocks(skip=False)) as scene:
            sample = header.sample or take_sample(
                scene.read_sampled,
                header.grid.height,
                header.grid.width,
                nothing,
                has_overviews=scene.has_overviews,
            )
            return sample.where(scene.wanted_of).values, sample.usable
    except SceneError:
        return nothing, 1.0  # what cannot be decoded is named when it is needed


def examine_scene(location: Location, options: SceneOptions) -> SceneHeader:
    """Examine a scene of any kind.

    Raises:
        SceneError: it cannot be read, or is not what the model expects.
    """
    with named(location):
        product = find_product(location)
        if product is None:
            return read_file_header(location, options)
        return read_product_header(location, product, options)


@contextmanager
def open_header(header: SceneHeader, *, bad_blocks: BadBlocks) -> Iterator[Scene]:
    """Open a scene that was examined before, in this process or in another one.

    Args:
        header: what is known of the scene.
        bad_blocks: takes note of what cannot be decoded.

    Raises:
        SceneError: a file is gone.
    """
    with open_files(header, bad_blocks=bad_blocks) as files:
        yield Scene(header, files)
