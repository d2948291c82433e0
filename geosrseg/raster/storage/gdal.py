"""Sets GDAL up for this library: one-line errors, no warnings, a small cache, its own PROJ data."""

import errno
import os
import re
import sqlite3
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import rasterio
from rasterio._env import PROJDataFinder, set_proj_data_search_path

# rasterio lets some of GDAL's own errors through, and names their root only here.
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError

from geosrseg.errors import SceneError
from geosrseg.raster.storage.location import without_secrets

GDAL_ERRORS: tuple[type[Exception], ...] = (
    RasterioError,
    CPLE_BaseError,
    OSError,
    UnicodeError,  # the name of a file, CRS or tag that is not UTF-8
)
"""Everything that reading or writing a raster raises when the file or the disk is at fault."""

CACHE_MB = 64
"""Size of GDAL's block cache. This holds a row of windows across a scene; GDAL's default of 5 %
of memory would hold a whole large map on a large machine."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a full disk, quota or file."""

PROJ_VARIABLES = ("PROJ_DATA", "PROJ_LIB")
"""Variables by which other programs (PostGIS, QGIS, conda) name the data of their PROJ."""

_filters = threading.RLock()


def _use_own_proj_data() -> None:
    """Make rasterio use the PROJ data of its own wheel where the environment's are too old.

    With data of another version, every CRS would be unknown. The variables are removed from
    this process because rasterio reads them repeatedly.
    """
    own = PROJDataFinder().search_wheel()
    stated = [name for name in PROJ_VARIABLES if name in os.environ]
    if not own or all(_layout(os.environ[name]) >= _layout(own) for name in stated):
        return
    for name in stated:
        del os.environ[name]
    set_proj_data_search_path(own)


def _layout(folders: str) -> tuple[int, int]:
    """Layout version of the first PROJ database in a list of folders; (0, 0) for none."""
    for folder in folders.split(os.pathsep):
        try:
            with closing(sqlite3.connect(f"file:{quote(folder)}/proj.db?mode=ro", uri=True)) as db:
                rows = dict(db.execute("SELECT key, value FROM metadata"))
                major, minor = (f"DATABASE.LAYOUT.VERSION.{part}" for part in ("MAJOR", "MINOR"))
                return int(rows[major]), int(rows[minor])
        except (sqlite3.Error, KeyError, ValueError):
            continue
    return 0, 0


_use_own_proj_data()


def check_proj() -> None:
    """Check that PROJ can read its database.

    Raises:
        SceneError: PROJ reads data of another version; the message names the variable.
    """
    try:
        with rasterio.Env():
            CRS.from_epsg(4326)
    except CRSError as error:
        stated = [f"{name}={os.environ[name]}" for name in PROJ_VARIABLES if name in os.environ]
        where = f"{' and '.join(stated)}: unset it" if stated else "reinstall rasterio"
        raise SceneError(
            f"PROJ cannot read its data ({reason(error)}), those of another version: {where}"
        ) from error


@contextmanager
def unreferenced_allowed() -> Iterator[None]:
    """Suppress rasterio's warning about rasters without a georeference.

    The filters of `warnings` are shared by the whole process, so threads take turns.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def small_cache() -> AbstractContextManager[object]:
    """Limit GDAL's block cache to `CACHE_MB`, unless the environment sets GDAL_CACHEMAX."""
    if "GDAL_CACHEMAX" in os.environ:
        return rasterio.Env()
    return rasterio.Env(GDAL_CACHEMAX=CACHE_MB)


def cause(error: BaseException, folder: Path) -> str:
    """Why a file could not be written to `folder`: the reason, and whether the disk is full.

    GDAL reports only that a write failed, so a test write asks the system for the cause.
    """
    root = _root(error)
    text = reason(error)
    refused = root if isinstance(root, OSError) else None
    if refused is None and re.search(r"write error|failed to write|writing|no space", text, re.I):
        refused = _refused_write(folder)
        text = f"{text}, {refused.strerror}" if refused else f"{text}: is the disk full?"
    return f"{text}: is the disk full?" if refused and refused.errno in FULL else text


def _refused_write(folder: Path) -> OSError | None:
    """The system's error when writing 1 MiB to a folder; None where that succeeds."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(2**20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def reason(error: BaseException) -> str:
    """Why GDAL failed, in one line: the message at the root of the chain of causes."""
    error = _root(error)
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if redirect := re.search(r"HTTP response code: 3\d\d", text):
        return f"{redirect[0]}; redirects to another scheme, and too many of them, are refused"
    text = re.sub(r"^[^,]*, band \d+: ", "", text)  # the caller's message names the file
    return without_secrets(" ".join(text.split())).rstrip(".") or type(error).__name__


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
