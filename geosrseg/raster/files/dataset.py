"""Opens the files of a scene with GDAL, restricted to one driver and to known companions."""

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
    """Open a file with a single GDAL driver, by default that for GeoTIFF.

    Other drivers open further files that their input names: a VRT called .tif, or XML in place of
    a path, would make GDAL read any file of this machine.

    Args:
        beside: also use the companions of a remote file; those of a local one always count.
        driver: another driver, for a product's file in a known format.

    Raises:
        SceneError: the file does not exist, or is not a GeoTIFF.
    """
    _check_file(location)
    if beside and location.is_remote:
        _check_remote_companions(location)
    with small_cache(), gdal_options(location, beside=beside, alone=driver != "GTiff"):
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
    """Call `read` on an open file, with retries if it is remote.

    Args:
        part: names what `read` reads, for the message.

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
    """Prefix the messages of SceneError with the scene's name."""
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
    """`check_companions` for a remote file."""
    for suffix in RASTERS:
        companion = Location(f"{location.address}.{suffix}")
        try:
            with gdal_options(companion), _open(companion) as dataset:
                check_overviews(dataset)
        except GDAL_ERRORS as error:
            if "not recognized" in reason(error):  # it exists, in another format
                raise SceneError(
                    f"{location}: GDAL would use {companion.name} beside it as overviews or mask, "
                    "but that is not a plain GeoTIFF: have it moved away"
                ) from error


def _ask_for_companions(location: Location) -> None:
    """Let GDAL find the companions, and cache the answers, while other threads can run.

    Otherwise GDAL would look for them when metadata is read. rasterio lets no other thread run
    then, so nothing could be cancelled on a slow network.

    Raises:
        CPLE_BaseError, RasterioError: the file itself does not exist.
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
            f"{location}: this GDAL lacks its compression ({why}): recompress it on a machine "
            "that can read it, with gdal_translate -co COMPRESS=DEFLATE"
        )
    if isinstance(error, UnicodeDecodeError):
        return (
            f"{location}: its CRS has a name that is not UTF-8, which rasterio cannot read: assign "
            "the CRS again, with gdal_edit -a_srs"
        )
    remedy = "get it again if it should be one, or convert it with gdal_translate"
    if location.is_remote:
        remedy = "check the address, your rights and the connection"
    if driver != "GTiff":
        return f"{location}: cannot be opened as JPEG 2000 ({why}): get the product again"
    return f"{location}: cannot be opened as a GeoTIFF ({why}): {remedy}"
