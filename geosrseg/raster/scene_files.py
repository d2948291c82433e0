"""Scene files: the open files of a scene, read together on its grid; used by `Scene`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files.dataset import named, open_dataset, read_dataset
from geosrseg.raster.header.bad_blocks import BadBlocks, Pixels
from geosrseg.raster.header.header import BandFile, SceneHeader
from geosrseg.raster.header.quality import QualityFile
from geosrseg.raster.storage.location import Location


class SceneFiles:
    """Open files of bands and of quality flags; windows count from the origin of the files.

    Args:
        header: the files, and what to read from each.
        bands: the open `files` of the header.
        quality: the open `quality` of the header.
        bad_blocks: decides what happens to blocks that cannot be decoded, and records them.
    """

    def __init__(
        self,
        header: SceneHeader,
        bands: Sequence[DatasetReader],
        quality: Sequence[DatasetReader],
        *,
        bad_blocks: BadBlocks,
    ) -> None:
        self.bands = bands
        self.bad_blocks = bad_blocks
        self._band_files = list(zip(header.files, bands, strict=True))
        self._quality_files = list(zip(header.quality, quality, strict=True))

    @property
    def has_overviews(self) -> bool:
        """True if every file has overviews, so that reading a decimated copy is cheap."""
        return all(dataset.overviews(1) for dataset in self.bands)

    def read(self, window: Window, shape: tuple[int, int] | None) -> Pixels:
        """Read a window of all files, averaged to the rows and columns of `shape` if given.

        Raises:
            SceneError: a block cannot be decoded.
        """
        numbers: list[NDArray[np.generic]] = []
        present: list[NDArray[np.bool_]] = []
        for file, dataset in self._band_files:
            selection = file.selection
            read, bands = selection.read, len(selection.indexes)
            found, usable = self._decode(
                file.location, dataset, window, shape, read=read, bands=bands
            )
            if selection.nodata_if != "any":
                selection.fill(found, ~usable)
            numbers.append(found)
            present.append(usable)
        in_any = self._band_files[0][0].selection.nodata_if == "all"
        valid = [np.logical_or.reduce(present)] if in_any else present
        valid += self._usable(window, shape, masked_only=False)
        if len(numbers) == len(valid) == 1:
            return numbers[0], valid[0]
        return np.concatenate(numbers), np.logical_and.reduce(valid)

    def read_unmasked(self, window: Window, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return (rows, cols) of a window: False where a quality flag masks; fill stays True.

        Raises:
            SceneError: a block cannot be decoded.
        """
        nowhere = np.ones(shape, np.bool_)
        return np.logical_and.reduce([nowhere, *self._usable(window, shape, masked_only=True)])

    def _usable(
        self, window: Window, shape: tuple[int, int] | None, *, masked_only: bool
    ) -> list[NDArray[np.bool_]]:
        """Return, for each file of flags, where it leaves pixels usable."""
        usable = []
        for flags, dataset in self._quality_files:
            read = partial(flags.read_pixels, masked_only=masked_only)
            usable.append(
                self._decode(flags.location, dataset, window, shape, read=read, bands=0)[1]
            )
        return usable

    def _decode(
        self,
        location: Location,
        dataset: DatasetReader,
        window: Window,
        shape: tuple[int, int] | None,
        *,
        read: Callable[..., Pixels],
        bands: int,
    ) -> Pixels:
        """Read one file; if that fails, read around its bad blocks."""
        at_once = partial(read, dataset, window, shape=shape)
        part = (
            f"rows {window.row_off} to {window.row_stop - 1}, "
            f"columns {window.col_off} to {window.col_stop - 1}"
        )
        try:
            return read_dataset(location, at_once, part=part)
        except SceneError:
            if location.is_remote:  # the network may be the cause, so do not retry per block
                raise
            size = shape or (window.height, window.width)
            read_part = partial(read, dataset)
            return self.bad_blocks.read(location, dataset, window, size, read_part, bands)


@contextmanager
def open_files(header: SceneHeader, *, bad_blocks: BadBlocks) -> Iterator[SceneFiles]:
    """Open the files that a header names.

    Raises:
        SceneError: a file no longer exists.
    """
    with ExitStack() as stack:
        bands = [_open_on_grid(stack, file, beside=header.is_file) for file in header.files]
        quality = [_open_on_grid(stack, file) for file in header.quality]
        yield SceneFiles(header, bands, quality, bad_blocks=bad_blocks)


def _open_on_grid(
    stack: ExitStack, file: BandFile | QualityFile, *, beside: bool = False
) -> DatasetReader:
    """Open a file, resampled to the scene's grid if it lies on another."""
    dataset = stack.enter_context(open_dataset(file.location, beside=beside, driver=file.driver))
    if file.resampled is None:
        return dataset
    with named(file.location):
        return stack.enter_context(file.resampled.open(dataset))
