"""COG: writes rows to a Cloud Optimized GeoTIFF and verifies it by reading it back.

GDAL can leave a damaged file without an error, for example on a full disk. So the whole file is
read again and compared with the rows that went in.
"""

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window as RasterioWindow

from geosrseg.core.legend import NODATA, Legend
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.pam import pam_path, write_category_names
from geosrseg.raster.storage.gdal import GDAL_ERRORS, cause, small_cache, unreferenced_allowed
from geosrseg.raster.storage.publication import check_name, check_output

BLOCK = 512
"""Rows and columns of a block; memory holds as many rows of the raster."""

SUFFIXES = (".tif", ".tiff")

STALE = (".ovr", ".msk", ".aux.xml")
"""Suffixes of sidecars of an older file, which GDAL would read as parts of a new one."""

# Read once, by the copy that follows. Not compressed: even the fastest ZSTD saves only a third
# of a measured image, and nearly doubles the time to write it.
_DRAFT_PROFILE = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "bigtiff": "IF_SAFER",
    "interleave": "band",  # overviews are built band by band
}

# Every GIS reads DEFLATE. One thread: GDAL's pool of threads does not survive a fork.
_COG_PROFILE = {
    "driver": "COG",
    "blocksize": BLOCK,
    "compress": "DEFLATE",
    "bigtiff": "IF_SAFER",
    "overviews": "FORCE_USE_EXISTING",  # the driver would build temporary ones of its own
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CogProfile:
    """Everything about a raster except its pixels.

    Attributes:
        bands: descriptions of the bands.
        overviews: resampling of the overviews; use ``mode`` (majority) for class ids, others
            average them into classes that are not there.
        legend: classes of a one-band raster of class ids; None for other rasters.
        scale: number to physical value, one per band; empty if the numbers are the values.
        offset: physical value of number 0, one per band.
        units: unit of the physical values, or empty.
        tags: metadata tags of the file.
    """

    grid: Grid
    bands: tuple[str, ...]
    dtype: str
    nodata: float
    overviews: Resampling
    legend: Legend | None = None
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    units: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_classes(
        cls, grid: Grid, legend: Legend, *, band: str = "class", tags: Mapping[str, str]
    ) -> "CogProfile":
        """Return the profile of one band of class ids, with overviews by majority."""
        return cls(
            grid=grid,
            bands=(band,),
            dtype="uint8",
            nodata=NODATA,
            overviews=Resampling.mode,
            legend=legend,
            tags=tags,
        )

    def allowed_values(self) -> NDArray[np.bool_] | None:
        """Return (256,), True for every allowed value; None if all are allowed."""
        if self.legend is None:
            return None
        allowed = np.zeros(256, np.bool_)
        allowed[[*self.legend.ids, NODATA]] = True
        return allowed


def check_cog(path: Path, *, overwrite: bool) -> None:
    """Refuse an unusable output name, before any work is done.

    Raises:
        OutputError: see `check_output`; or the path holds a file that is not a TIFF, which a typing
            error should not delete; or a sidecar would be deleted.
    """
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    check_name(pam_path(path))
    for sidecar in (path.with_name(path.name + suffix) for suffix in STALE):
        if not overwrite and os.path.lexists(sidecar):
            raise OutputError(
                f"{sidecar}: would be read as a part of {path.name}: choose another name, or "
                "replace it with `overwrite`"
            )
    if path.exists():
        with as_output_error(path), path.open("rb") as file:
            if file.read(2) not in (b"II", b"MM", b""):
                raise OutputError(f"{path}: exists and is not a TIFF: choose another name")


def write_cog(
    folder: Path,
    path: Path,
    profile: CogProfile,
    rows: Iterable[NDArray[np.generic]],
    *,
    on_check: Callable[[], object] = lambda: None,
) -> list[Path]:
    """Write a COG to a folder of drafts, and verify it.

    Args:
        folder: receives the COG, under the name of `path`, and temporary files.
        path: the final output, for its name and for messages.
        profile: grid, bands and metadata of the raster.
        rows: (bands, rows, width) arrays of any number of rows, from top to bottom.
        on_check: called after writing, before verification.

    Returns:
        The files to publish: the COG and, with a legend, its sidecar of class names.

    Raises:
        OutputError: the COG cannot be written, or differs from the rows when read back.
        ValueError: the rows do not match the profile.
    """
    draft, cog = folder / f"{path.name}.draft", folder / path.name
    copying = _COG_PROFILE | {
        "predictor": "NO" if profile.legend else "YES",
        # Measured numbers compress like noise: level 6 takes twice as long and saves nothing.
        "level": 6 if profile.legend else 1,
    }
    with small_cache():
        with as_output_error(path):
            for left_over in (draft, cog):  # from a stopped run; GDAL would open it
                left_over.unlink(missing_ok=True)
            checksum = _write_draft(draft, profile, rows)
            build_overviews(draft, profile.overviews)
            rasterio.shutil.copy(draft, cog, **copying)
            draft.unlink()
        on_check()
        verify_cog(cog, profile, name=path, checksum=checksum)
    if profile.legend is None:
        return [cog]
    with as_output_error(path):
        return [cog, write_category_names(cog, profile.legend)]


def verify_cog(path: Path, profile: CogProfile, *, name: Path, checksum: bytes) -> None:
    """Read a raster and its overviews completely, and compare them with what was written.

    Args:
        path: the file.
        profile: the expected grid and legend.
        name: name of the file in messages.
        checksum: BLAKE2b of the rows in blocks, see `row_blocks`.

    Raises:
        OutputError: a part cannot be read, or differs from what was written.
    """
    grid, allowed = profile.grid, profile.allowed_values()
    with as_output_error(name), unreferenced_allowed():
        digest = hashlib.blake2b()
        with rasterio.open(path, driver="GTiff") as dataset:
            same_grid = dataset.shape == (grid.height, grid.width)
            same_grid &= dataset.transform.almost_equals(grid.transform)
            levels = len(dataset.overviews(1))
            for block in read_row_blocks(dataset):
                digest.update(block)
        if not same_grid or digest.digest() != checksum:
            raise _unfaithful(name)
        for level in range(levels):
            with rasterio.open(path, driver="GTiff", overview_level=level) as overview:
                for block in read_row_blocks(overview):
                    if allowed is not None and not allowed[block].all():
                        raise _unfaithful(name)


def read_row_blocks(dataset: DatasetReader) -> Iterator[NDArray[Any]]:
    """Read all bands of a raster from top to bottom, one row of blocks at a time."""
    height, width = dataset.shape
    for row_off in range(0, height, BLOCK):
        rows = min(BLOCK, height - row_off)
        yield dataset.read(window=RasterioWindow(0, row_off, width, rows))


def row_blocks(rows: Iterable[NDArray[np.generic]]) -> Iterator[NDArray[np.generic]]:
    """Regroup rows into arrays of `BLOCK` rows each; the last may have fewer."""
    waiting: list[NDArray[np.generic]] = []
    count = 0
    for more in rows:
        while count + more.shape[1] >= BLOCK:
            head, more = np.split(more, [BLOCK - count], axis=1)
            yield np.concatenate([*waiting, head], axis=1)
            waiting, count = [], 0
        if more.shape[1]:
            waiting.append(more)
            count += more.shape[1]
    if waiting:
        yield np.concatenate(waiting, axis=1)


@contextmanager
def as_output_error(path: Path) -> Iterator[None]:
    """Turn errors of GDAL and the disk into an `OutputError` about `path`."""
    try:
        yield
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be written ({cause(error, path.parent)})") from error


def _write_draft(path: Path, profile: CogProfile, rows: Iterable[NDArray[np.generic]]) -> bytes:
    """Write a tiled GeoTIFF, and return the checksum of its rows."""
    digest = hashlib.blake2b()
    width, allowed, row_off = profile.grid.width, profile.allowed_values(), 0
    with _create_draft(path, profile) as dataset:
        for block in row_blocks(rows):
            _check(block, profile, allowed)
            digest.update(block)
            if row_off + block.shape[1] <= profile.grid.height:
                area = RasterioWindow(0, row_off, width, block.shape[1])
                dataset.write(block, window=area)
            row_off += block.shape[1]
    if row_off != profile.grid.height:
        raise ValueError(f"{row_off} rows were written, expected {profile.grid.height}")
    return digest.digest()


def build_overviews(path: Path, resampling: Resampling) -> None:
    """Build overviews, each half the size of the last, until one fits into a block."""
    with unreferenced_allowed(), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2**level for level in range(1, halvings(dataset) + 1)], resampling)


def halvings(dataset: DatasetReader) -> int:
    """Return how many halvings a raster needs to fit into a block."""
    return max(math.ceil(math.log2(max(dataset.shape) / BLOCK)), 0)


def _check(
    block: NDArray[np.generic], profile: CogProfile, allowed: NDArray[np.bool_] | None
) -> None:
    bands, _, width = block.shape
    expected = (len(profile.bands), profile.grid.width)
    if (bands, width) != expected or block.dtype.name != profile.dtype:
        raise ValueError(
            f"rows are {profile.dtype} ({len(profile.bands)}, rows, {profile.grid.width}), got "
            f"{block.dtype} {block.shape}"
        )
    if allowed is not None and not allowed[block].all():
        raise ValueError("pixels must be ids of the legend or nodata, got others")


def _create_draft(path: Path, profile: CogProfile) -> DatasetWriter:
    grid = profile.grid
    with unreferenced_allowed():
        dataset = rasterio.open(
            path,
            "w",
            height=grid.height,
            width=grid.width,
            crs=grid.crs,
            transform=grid.transform,
            count=len(profile.bands),
            dtype=profile.dtype,
            nodata=profile.nodata,
            **_DRAFT_PROFILE,
        )
    for index, description in enumerate(profile.bands, start=1):
        dataset.set_band_description(index, description)
    if profile.legend is not None:
        dataset.write_colormap(1, {item.id: item.rgb for item in profile.legend.classes})
    if profile.scale:
        dataset.scales, dataset.offsets = profile.scale, profile.offset
    if profile.units:
        dataset.units = (profile.units,) * len(profile.bands)
    dataset.update_tags(**{**profile.tags, "AREA_OR_POINT": "Area"})
    return dataset


def _unfaithful(path: Path) -> OutputError:
    return OutputError(
        f"{path}: what was read back is not what was written: check the disk, then try again"
    )
