"""Datasets: open files of a scene, with GDAL told how far it may go."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import rasterio
from rasterio.io import DatasetReader

from geosrseg.errors import SceneError
from geosrseg.raster.storage.companions import RASTERS, check_companions, check_overviews
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed
from geosrseg.raster.storage.location import Location, without_secrets
from geosrseg.raster.storage.no_raster import why_missing
from geosrseg.raster.storage.remote import attempt, gdal_options

T = TypeVar("T")


@contextmanager
def open_dataset(
    location: Location, *, beside: bool = False, driver: str = "GTiff"
) -> Iterator[DatasetReader]:
    """Open a file with one of GDAL's drivers only, that for GeoTIFF.

    Other drivers follow what they read to other files: a VRT that is called .tif, or
    XML in place of a path, would have GDAL read any file of this machine.

    Args:
        driver: another one, for a file of a product that is known to be stored so.
        beside: of a remote file too, what lies beside it belongs to it.

    Raises:
        SceneError: there is no such file, or it is no GeoTIFF.
    """
    _check_file(location)
    if beside and location.is_remote:
        _check_remote_companions(location)
    alone = driver != "GTiff"
    with small_cache(), gdal_options(location, beside=beside, alone=alone):
        try:
            if beside and location.is_remote:
                _ask_for_companions(location)
            dataset = attempt(location, lambda: _open(location, driver))
        except GDAL_ERRORS as error:
            raise SceneError(_refusal(location, error, driver)) from error
        with dataset:
            with named(location):
                check_overviews(dataset)
            yield dataset


def read_dataset(location: Location, read: Callable[[], T], *, part: str = "") -> T:
    """What `read` gives of an open file.

    Args:
        location: the file.
        read: reads a part.
        part: which part that is, for the message.

    Raises:
        SceneError: a block cannot be read.
    """
    try:
        return attempt(location, read)
    except GDAL_ERRORS as error:
        remedy = "try again later" if location.is_remote else "the file is damaged, get it again"
        raise SceneError(
            f"{location}: cannot be read{part and f', {part}'} "
            f"({without_secrets(reason(error), location)}): {remedy}"
        ) from error


@contextmanager
def named(location: Location) -> Iterator[None]:
    """Put the scene's name before what is wrong with it."""
    try:
        yield
    except SceneError as error:
        text = str(error)
        raise SceneError(
            text if text.startswith(str(location)) else f"{location}: {text}"
        ) from error


def _open(location: Location, driver: str = "GTiff") -> DatasetReader:
    with unreferenced_allowed():
        return rasterio.open(location.gdal_name, driver=driver)


def _check_file(location: Location) -> None:
    if location.is_remote or location.in_memory:
        return
    if location.path.is_file():
        if not location.member:
            check_companions(location.path)
        return
    if not location.path.is_dir() and (why := why_missing(location.address)):
        raise SceneError(f"{location}: {why}")
    found = "is a folder" if location.path.is_dir() else "no such file"
    raise SceneError(f"{location}: {found}, expected a GeoTIFF")


def _check_remote_companions(location: Location) -> None:
    """As `check_companions`, of a remote file.

    Raises:
        SceneError: names the companion.
    """
    for suffix in RASTERS:
        companion = Location(f"{location.address}.{suffix}")
        try:
            with gdal_options(companion), _open(companion) as dataset:
                check_overviews(dataset)
        except GDAL_ERRORS as error:
            if "not recognized" in reason(error):  # it is there, and of another kind
                raise SceneError(
                    f"{location}: GDAL takes {companion.name} beside it for its overviews or mask, "
                    "and it is no plain GeoTIFF: have it moved away"
                ) from error


def _ask_for_companions(location: Location) -> None:
    """Let GDAL learn which companions there are, and remember it, while other threads run.

    It looks for them when metadata is read, and rasterio lets no other thread run then: on a
    slow network nothing could be stopped.

    Raises:
        CPLE_BaseError, RasterioError: there is not even the file itself.
    """
    with gdal_options(location), attempt(location, lambda: _open(location)):
        pass
    address = location.address
    names = [f"{address}.{suffix}" for suffix in ("aux.xml", "aux", "AUX", "MSK")]
    if "?" not in address:
        stem = address.rpartition(".")[0]
        names += [f"{stem}.{suffix}" for suffix in ("aux", "AUX", "xml", "XML")]
    for name in names:
        companion = Location(name)
        with suppress(*GDAL_ERRORS), gdal_options(companion), _open(companion):
            pass


def _refusal(location: Location, error: Exception, driver: str) -> str:
    why = (
        without_secrets(reason(error), location)
        .removeprefix(f"{location.name}: ")
        .removeprefix(f"{location}: ")
    )
    if "missing codec" in why:
        return (
            f"{location}: its compression is one that this GDAL lacks ({why}): store it with "
            "another where it can be read, with gdal_translate -co COMPRESS=DEFLATE"
        )
    if isinstance(error, UnicodeDecodeError):
        return (
            f"{location}: its CRS has a name that is not UTF-8, which rasterio cannot read: give "
            "it another, with gdal_edit -a_srs"
        )
    remedy = "get it again if it should be one, or convert it with gdal_translate"
    if location.is_remote:
        remedy = "check the address, your rights and the connection"
    if driver != "GTiff":
        return f"{location}: cannot be opened as JPEG 2000 ({why}): get the product again"
    return f"{location}: cannot be opened as a GeoTIFF ({why}): {remedy}"
