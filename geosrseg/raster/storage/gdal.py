"""GDAL as the library wants it: errors in one line, chatter unheard, a small cache."""

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
    UnicodeError,  # a name of a file, a CRS or a tag that is not UTF-8
)
"""Everything that reading or writing a raster raises when the file or the disk is to blame."""

CACHE_MB = 64
"""Blocks that GDAL keeps. Its own choice is 5 % of the machine's memory, which on a large
machine is the whole of a large map; this holds a row of windows across a scene."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where there is no room."""

PROJ_VARIABLES = ("PROJ_DATA", "PROJ_LIB")
"""Where other programs (PostGIS, QGIS, conda) say that their PROJ's data lie."""

_filters = threading.RLock()


def _use_own_proj_data() -> None:
    """Have rasterio read the PROJ data that came with it, where the environment's do not fit.

    With those of another version every CRS would be unknown. What the variables say goes from
    this process: rasterio reads them again and again.
    """
    own = PROJDataFinder().search_wheel()
    said = [name for name in PROJ_VARIABLES if name in os.environ]
    if not own or all(_layout(os.environ[name]) >= _layout(own) for name in said):
        return
    for name in said:
        del os.environ[name]
    set_proj_data_search_path(own)


def _layout(folders: str) -> tuple[int, int]:
    """Version of the layout of the first PROJ database in a list of folders; (0, 0) for none."""
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
    """See that PROJ knows what a CRS is.

    Raises:
        SceneError: it reads the data of another version; names the variable that says so.
    """
    try:
        with rasterio.Env():
            CRS.from_epsg(4326)
    except CRSError as error:
        said = [f"{name}={os.environ[name]}" for name in PROJ_VARIABLES if name in os.environ]
        where = f"{' and '.join(said)}: unset it" if said else "reinstall rasterio"
        raise SceneError(
            f"PROJ cannot read its data ({reason(error)}), those of another version: {where}"
        ) from error


@contextmanager
def unreferenced_allowed() -> Iterator[None]:
    """Open rasters that have no georeference without a Python warning.

    The filters of `warnings` belong to the whole process, so threads take turns.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def small_cache() -> AbstractContextManager[object]:
    """Limit GDAL's block cache to `CACHE_MB`, unless the user's environment says otherwise."""
    if "GDAL_CACHEMAX" in os.environ:
        return rasterio.Env()
    return rasterio.Env(GDAL_CACHEMAX=CACHE_MB)


def cause(error: BaseException, folder: Path) -> str:
    """Why something could not be written: the reason, and the disk where that is to blame.

    GDAL does not pass on what the system said, only that a write failed: so it is asked again.

    Args:
        error: what was raised.
        folder: in which it was to be written.
    """
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    text = reason(error)
    said = root if isinstance(root, OSError) else None
    if said is None and re.search(r"write error|failed to write|writing|no space", text, re.I):
        said = _refused_write(folder)
        text = f"{text}, {said.strerror}" if said else f"{text}: is the disk full?"
    return f"{text}: is the disk full?" if said and said.errno in FULL else text


def _refused_write(folder: Path) -> OSError | None:
    """What the system says of a MiB more in a folder; None where it takes it."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(2**20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def reason(error: BaseException) -> str:
    """Why GDAL failed, in one line: the root of the chain says it best."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if redirect := re.search(r"HTTP response code: 3\d\d", text):  # the last word of a server
        return f"{redirect[0]}; redirects to another scheme, and too many of them, are refused"
    text = re.sub(r"^[^,]*, band \d+: ", "", text)  # the file, which the message has already
    return without_secrets(" ".join(text.split())).rstrip(".") or type(error).__name__
