"""COG: rows in, a Cloud Optimized GeoTIFF out that has been read back and found right.

GDAL can leave a damaged file without a word, on a full disk for one. So all of a file is
read again, and compared with the rows that went in.
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
"""Rows and columns of a block, and so the rows that memory holds."""

SUFFIXES = (".tif", ".tiff")

STALE = (".ovr", ".msk", ".aux.xml")
"""Suffixes of what may stand beside an older file and would be taken for a part of a new one."""

# Read once, by the copy that follows. Not compressed: even ZSTD, at its fastest, saves a third
# of a measured image only, and takes nearly as long as all the rest of writing it.
_DRAFT_PROFILE = {
    "driver": "GTiff",
    "tiled": True,
    "blockxsize": BLOCK,
    "blockysize": BLOCK,
    "bigtiff": "IF_SAFER",
    "interleave": "band",  # as overviews are made
}

# Every GIS reads DEFLATE. One thread: GDAL's pool of threads does not survive a fork.
_COG_PROFILE = {
    "driver": "COG",
    "blocksize": BLOCK,
    "compress": "DEFLATE",
    "bigtiff": "IF_SAFER",
    "overviews": "FORCE_USE_EXISTING",  # the driver would compress its own for the time being
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CogProfile:
    """What a raster is, except its pixels.

    Attributes:
        grid: where it lies.
        bands: their descriptions.
        dtype: of the pixels.
        nodata: the value where nothing is known.
        overviews: how they are made; ``mode`` gives a pixel the class that most of its
            pixels have, all else would average ids into classes that are not there.
        legend: the classes; only a raster of one band of class ids has one.
        scale: number to physical value, one per band; empty where the number is the value.
        offset: of the stored values.
        units: of the physical value; empty if it has none.
        tags: what to note in the file.
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

    def allowed_values(self) -> NDArray[np.bool_] | None:
        """(256,) True for every value that the pixels may have; None if all are allowed."""
        if self.legend is None:
            return None
        allowed = np.zeros(256, np.bool_)
        allowed[[*self.legend.ids, NODATA]] = True
        return allowed


def check_cog(path: Path, *, overwrite: bool) -> None:
    """Refuse a name that a COG cannot have, before any work is done for it.

    Raises:
        OutputError: see `check_output`; or what stands there is no TIFF, which a slip of
            the keyboard should not cost its life; or a sidecar would be deleted.
    """
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    check_name(pam_path(path))
    for sidecar in (path.with_name(path.name + suffix) for suffix in STALE):
        if not overwrite and os.path.lexists(sidecar):
            raise OutputError(
                f"{sidecar}: would be taken for a part of {path.name}: choose another name, or "
                "replace it with `overwrite`"
            )
    if path.exists():
        with as_output_error(path), path.open("rb") as file:
            if file.read(2) not in (b"II", b"MM", b""):
                raise OutputError(f"{path}: exists and is no TIFF: choose another name")


def write_cog(
    folder: Path,
    path: Path,
    profile: CogProfile,
    rows: Iterable[NDArray[np.generic]],
    *,
    on_check: Callable[[], object] = lambda: None,
) -> list[Path]:
    """Write a COG to a folder for drafts, and read it back.

    Args:
        folder: where it is written, under the name of `path`, as are by-products.
        path: the output that it will become.
        profile: what it is.
        rows: (bands, rows, width) arrays of any number of rows, from top to bottom.
        on_check: called when all is written, before it is read back.

    Returns:
        The COG, and its sidecar with the names of the classes if it has a legend: what is
        to be published.

    Raises:
        OutputError: it cannot be written, or did not come out as computed.
        ValueError: the rows are not those of the profile.
    """
    draft, cog = folder / f"{path.name}.draft", folder / path.name
    copying = _COG_PROFILE | {
        "predictor": "NO" if profile.legend else "YES",
        # Measured numbers are noise to it: level 6 takes twice the time of 1 for no byte less.
        "level": 6 if profile.legend else 1,
    }
    with small_cache():
        with as_output_error(path):
            for left_over in (draft, cog):  # by a run that was stopped; GDAL would open it
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
    """Read all of a raster and its overviews.

    Args:
        path: the file.
        profile: what it must be.
        name: what messages call it.
        checksum: BLAKE2b of its rows, see `row_blocks`.

    Raises:
        OutputError: something cannot be read, or is not what was written.
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
    """All bands of a raster from top to bottom, one row of blocks at a time."""
    height, width = dataset.shape
    for row_off in range(0, height, BLOCK):
        rows = min(BLOCK, height - row_off)
        yield dataset.read(window=RasterioWindow(0, row_off, width, rows))


def row_blocks(rows: Iterable[NDArray[np.generic]]) -> Iterator[NDArray[np.generic]]:
    """The same rows in arrays of `BLOCK` rows each; the last may have fewer."""
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
    """Turn what GDAL and the disk raise into an `OutputError` about `path`."""
    try:
        yield
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be written ({cause(error, path.parent)})") from error


def _write_draft(path: Path, profile: CogProfile, rows: Iterable[NDArray[np.generic]]) -> bytes:
    """Write a tiled GeoTIFF; returns the checksum of its rows."""
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
    """Halve a raster until a block holds it."""
    with unreferenced_allowed(), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2**level for level in range(1, halvings(dataset) + 1)], resampling)


def halvings(dataset: DatasetReader) -> int:
    """How often a raster is halved until a block holds it."""
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
        raise ValueError("pixels are ids of the legend or nodata, got others")


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
        f"{path}: read back, it is not what was written: check the disk, then try again"
    )
