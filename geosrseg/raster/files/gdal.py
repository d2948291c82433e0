"""GDAL as the library wants it: errors in one line, chatter unheard, a small cache."""

import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import rasterio

# rasterio lets some of GDAL's own errors through, and names their root only here.
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geosrseg.raster.files.location import without_secrets

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

_filters = threading.RLock()


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


def reason(error: BaseException) -> str:
    """Why GDAL failed, in one line: the root of the chain says it best."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = re.sub(r"^[^,]*, band \d+: ", "", text)  # the file, which the message has already
    return without_secrets(" ".join(text.split())).rstrip(".") or type(error).__name__
