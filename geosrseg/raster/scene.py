"""Scene: one acquisition, read window by window."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geosrseg.core.normalize import Radiometry
from geosrseg.core.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.companions import check_companions, check_overviews
from geosrseg.raster.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed
from geosrseg.raster.grid import Grid
from geosrseg.raster.header import SceneHeader, read_header

MAX_PIXELS = 2**31
"""Pixels of the largest scene; a header that declares more is taken for damage."""


class Scene:
    """An open scene. A handle belongs to one thread: let each have its own by `reopen`.

    Args:
        header: what the file holds.
        dataset: the open file.
    """

    def __init__(self, header: SceneHeader, dataset: DatasetReader) -> None:
        self.header = header
        self._dataset = dataset

    @property
    def path(self) -> Path:
        """The file."""
        return self.header.path

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

    def reopen(self) -> AbstractContextManager["Scene"]:
        """A handle of its own for another thread; nothing is examined again."""
        return open_header(self.header)

    def read(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Digital numbers of a window, which lies inside the scene.

        Returns:
            (bands, rows, cols) in the file's dtype, and valid (rows, cols): True where
            every band is a number that neither nodata, a mask nor alpha excludes.

        Raises:
            SceneError: a block cannot be decoded.
        """
        if window.row_stop > self.grid.height or window.col_stop > self.grid.width:
            raise ValueError(f"{window} reaches beyond the scene, {self.grid}")
        try:
            return self.header.selection.read(self._dataset, window)
        except GDAL_ERRORS as error:
            raise SceneError(
                f"{self.path}: cannot read rows {window.row_off} to {window.row_stop - 1}, "
                f"columns {window.col_off} to {window.col_stop - 1} ({reason(error)}): "
                f"the file is damaged, get it again"
            ) from error

    def read_decimated(
        self, height: int, width: int
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """The whole scene averaged to `height` by `width` pixels, from overviews if it has any.

        Returns:
            Digital numbers and valid, as from `read`.

        Raises:
            SceneError: a block cannot be decoded.
        """
        try:
            return self.header.selection.read(self._dataset, shape=(height, width))
        except GDAL_ERRORS as error:
            raise _unreadable(self.path, error) from error


@contextmanager
def open_scene(
    path: str | Path,
    *,
    model_bands: tuple[str, ...],
    bands: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Scene]:
    """Open a GeoTIFF and match it to a model.

    Args:
        path: a local GeoTIFF or COG.
        model_bands: names of the model's bands, in its order.
        bands: which band of the scene is which band of the model, as in ``--bands``.
        scale: digital number to reflectance, for all bands; wins over the file's tags.
        offset: likewise. If only one of the two is given, the other is 1 or 0.
        max_pixels: a larger scene is refused before anything is allocated.

    Raises:
        SceneError: the file cannot be read, or is not what the model expects.
    """
    path = Path(path)
    with _open_dataset(path) as dataset:
        try:
            header = read_header(
                dataset,
                path,
                model_bands=model_bands,
                bands=bands,
                scale=scale,
                offset=offset,
                max_pixels=max_pixels,
            )
        except SceneError as error:
            raise SceneError(f"{path}: {error}") from error
        except GDAL_ERRORS as error:
            raise _unreadable(path, error) from error
        yield Scene(header, dataset)


@contextmanager
def open_header(header: SceneHeader) -> Iterator[Scene]:
    """Open a scene that was examined before, in this process or in another one.

    Raises:
        SceneError: the file is gone.
    """
    with _open_dataset(header.path) as dataset:
        yield Scene(header, dataset)


@contextmanager
def _open_dataset(path: Path) -> Iterator[DatasetReader]:
    """Open with GDAL's GeoTIFF driver only.

    Other drivers follow what they read to other files: a VRT that is called .tif, or
    XML in place of a path, would have GDAL read any file of this machine.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise SceneError(f"{path}: {found}, expected a GeoTIFF")
    check_companions(path)
    try:
        with unreferenced_allowed():
            dataset = rasterio.open(path, driver="GTiff")
    except GDAL_ERRORS as error:
        raise SceneError(
            f"{path}: cannot be opened as a GeoTIFF ({reason(error)}): get it again if it "
            f"should be one, or convert it with gdal_translate"
        ) from error
    with small_cache(), dataset:
        try:
            check_overviews(dataset)
        except SceneError as error:
            raise SceneError(f"{path}: {error}") from error
        yield dataset


def _unreadable(path: Path, error: Exception) -> SceneError:
    return SceneError(
        f"{path}: cannot be read ({reason(error)}): the file is damaged, get it again"
    )
