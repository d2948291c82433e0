"""The class map: written row by row, read back, and only then published as a COG.

GDAL can leave a damaged file without a word, on a full disk for one. So a map gets its
name after all of it has been read again and found to be what was computed.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window as RasterioWindow

from geosrseg.core.legend import NODATA, Legend
from geosrseg.errors import OutputError
from geosrseg.raster.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed
from geosrseg.raster.grid import Grid
from geosrseg.raster.pam import write_category_names
from geosrseg.raster.publication import check_output, open_drafts, publish

BLOCK = 512
"""Rows and columns of a block, and so the rows of a map that memory holds."""

SUFFIXES = (".tif", ".tiff")

# Read once, by the copy that follows: quick to write rather than small.
_DRAFT_PROFILE = {
    "driver": "GTiff",
    "dtype": "uint8",
    "count": 1,
    "nodata": NODATA,
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "compress": "DEFLATE",
    "zlevel": 1,
    "bigtiff": "IF_SAFER",
}

# Every GIS reads DEFLATE. MODE gives an overview's pixel the class that most of its pixels
# have; the driver's own choices could average ids into classes that are not there.
_COG_PROFILE = {
    "driver": "COG",
    "blocksize": BLOCK,
    "compress": "DEFLATE",
    "overview_resampling": "MODE",
    "bigtiff": "IF_SAFER",
}


class ClassMapWriter:
    """Takes the rows of a class map from top to bottom; holds one row of blocks.

    Args:
        path: the name of the map, for messages.
        dataset: the draft, open for writing.
        legend: its ids and NODATA are the values that a map may hold.
    """

    def __init__(self, path: Path, dataset: DatasetWriter, legend: Legend) -> None:
        self.rows_written = 0
        self._path = path
        self._dataset = dataset
        self._height, self._width = dataset.shape
        self._allowed = _allowed_values(legend)
        self._buffer = np.empty((min(BLOCK, self._height), self._width), np.uint8)
        self._digest = hashlib.blake2b()

    def write_rows(self, labels: NDArray[np.uint8]) -> None:
        """Add any number of rows below those written before.

        Args:
            labels: (rows, width) class ids or NODATA.

        Raises:
            OutputError: the disk does not take them.
        """
        self._check(labels)
        while len(labels):
            start = self.rows_written % BLOCK
            part = labels[: BLOCK - start]
            stop = start + len(part)
            self._buffer[start:stop] = part
            self.rows_written += len(part)
            labels = labels[len(part) :]
            if stop == BLOCK or self.rows_written == self._height:
                self._write_blocks(self._buffer[:stop])

    def close(self) -> bytes:
        """Finish the draft.

        Returns:
            The checksum of all rows.

        Raises:
            OutputError: rows are missing, or the disk does not take them.
        """
        if self.rows_written != self._height:
            raise OutputError(
                f"{self._path}: {self.rows_written} rows were written, expected {self._height}"
            )
        with _as_output_error(self._path):
            self._dataset.close()
        return self._digest.digest()

    def _check(self, labels: NDArray[np.uint8]) -> None:
        if labels.dtype != np.uint8 or labels.ndim != 2 or labels.shape[1] != self._width:
            raise ValueError(
                f"labels are uint8 (rows, {self._width}), got {labels.dtype} {labels.shape}"
            )
        if self.rows_written + len(labels) > self._height:
            raise ValueError(
                f"the map has {self._height} rows, got {self.rows_written + len(labels)}"
            )
        if not self._allowed[labels].all():
            raise ValueError("labels are ids of the legend or NODATA, got others")

    def _write_blocks(self, rows: NDArray[np.uint8]) -> None:
        self._digest.update(rows)
        row_off = self.rows_written - len(rows)
        with _as_output_error(self._path):
            self._dataset.write(rows, 1, window=RasterioWindow(0, row_off, self._width, len(rows)))


@contextmanager
def open_class_map(
    path: str | Path,
    *,
    grid: Grid,
    legend: Legend,
    tags: Mapping[str, str],
    overwrite: bool = False,
) -> Iterator[ClassMapWriter]:
    """Write a class map; it appears under its name when the block ends without an error.

    The map is a COG with nodata 255, the legend's colours and MODE overviews; a sidecar
    holds the names of the classes. Nothing is left behind after an error, and what stood
    there before stays as it was.

    Args:
        path: the output, ``.tif``.
        grid: the target grid.
        legend: id, name and colour of the classes.
        tags: what to note in the file.
        overwrite: replace an existing map.

    Raises:
        OutputError: the output cannot be written, or did not come out as computed.
    """
    path = Path(path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    _check_replaceable(path)
    with small_cache(), open_drafts(path) as folder:
        draft, cog = folder / "draft.tif", folder / path.name
        with _as_output_error(path):
            dataset = _create_draft(draft, grid, legend, tags)
        writer = ClassMapWriter(path, dataset, legend)
        try:
            yield writer
            checksum = writer.close()
        finally:
            # After a failure the draft goes, and what ails it does not matter any more.
            with suppress(*GDAL_ERRORS):
                dataset.close()
        with _as_output_error(path):
            rasterio.shutil.copy(draft, cog, **_COG_PROFILE)
            sidecar = write_category_names(cog, legend)
        verify_class_map(cog, name=path, grid=grid, legend=legend, checksum=checksum)
        publish([cog, sidecar], path, stale=(".ovr", ".msk"))


def verify_class_map(
    path: Path, *, name: Path, grid: Grid, legend: Legend, checksum: bytes
) -> None:
    """Read all of a map and its overviews.

    Args:
        path: the file.
        name: what messages call it.
        grid: the target grid.
        legend: the classes.
        checksum: BLAKE2b of the rows that were written.

    Raises:
        OutputError: something cannot be read, or is not what was written.
    """
    with _as_output_error(name), unreferenced_allowed():
        digest = hashlib.blake2b()
        with rasterio.open(path, driver="GTiff") as dataset:
            same_grid = dataset.shape == (grid.height, grid.width)
            same_grid &= dataset.transform.almost_equals(grid.transform)
            levels = len(dataset.overviews(1))
            for rows in read_block_rows(dataset):
                digest.update(rows)
        if not same_grid or digest.digest() != checksum:
            raise _unfaithful(name)
        for level in range(levels):
            with rasterio.open(path, driver="GTiff", overview_level=level) as overview:
                if not all(_allowed_values(legend)[r].all() for r in read_block_rows(overview)):
                    raise _unfaithful(name)


def read_block_rows(dataset: DatasetReader) -> Iterator[NDArray[np.uint8]]:
    """The rows of a class map from top to bottom, one row of blocks at a time."""
    height, width = dataset.shape
    for row_off in range(0, height, BLOCK):
        rows = min(BLOCK, height - row_off)
        yield dataset.read(1, window=RasterioWindow(0, row_off, width, rows))


def _create_draft(path: Path, grid: Grid, legend: Legend, tags: Mapping[str, str]) -> DatasetWriter:
    with unreferenced_allowed():
        dataset = rasterio.open(
            path,
            "w",
            height=grid.height,
            width=grid.width,
            crs=grid.crs,
            transform=grid.transform,
            **_DRAFT_PROFILE,
        )
    dataset.write_colormap(1, {item.id: item.rgb for item in legend.classes})
    dataset.set_band_description(1, "class")
    dataset.update_tags(**{**tags, "AREA_OR_POINT": "Area"})
    return dataset


def _check_replaceable(path: Path) -> None:
    """Replace maps only: with --overwrite a slip of the keyboard costs any file its life."""
    if not path.exists():
        return
    with _as_output_error(path), path.open("rb") as file:
        if file.read(2) not in (b"II", b"MM", b""):
            raise OutputError(f"{path}: exists and is no TIFF: choose another name")


def _allowed_values(legend: Legend) -> NDArray[np.bool_]:
    """(256,) True for every value that a class map may hold."""
    allowed = np.zeros(256, np.bool_)
    allowed[[*legend.ids, NODATA]] = True
    return allowed


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except GDAL_ERRORS as error:
        raise OutputError(
            f"{path}: cannot be written ({reason(error)}): is the disk full?"
        ) from error


def _unfaithful(path: Path) -> OutputError:
    return OutputError(
        f"{path}: read back, the map is not what was written: check the disk, then try again"
    )
