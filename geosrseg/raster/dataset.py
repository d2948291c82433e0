"""Datasets: open files of a scene, with GDAL told how far it may go."""

from collections.abc import Iterator
from contextlib import contextmanager

import rasterio
from rasterio.io import DatasetReader

from geosrseg.errors import SceneError
from geosrseg.raster.companions import check_companions, check_overviews
from geosrseg.raster.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed
from geosrseg.raster.location import Location
from geosrseg.raster.remote import remote_options


@contextmanager
def open_dataset(location: Location) -> Iterator[DatasetReader]:
    """Open a file with GDAL's GeoTIFF driver only.

    Other drivers follow what they read to other files: a VRT that is called .tif, or
    XML in place of a path, would have GDAL read any file of this machine.

    Raises:
        SceneError: there is no such file, or it is no GeoTIFF.
    """
    _check_file(location)
    with small_cache(), remote_options(location):
        try:
            with unreferenced_allowed():
                dataset = rasterio.open(location.gdal_name, driver="GTiff")
        except GDAL_ERRORS as error:
            raise SceneError(
                f"{location}: cannot be opened as a GeoTIFF ({reason(error)}): {_remedy(location)}"
            ) from error
        with dataset:
            with named(location):
                check_overviews(dataset)
            yield dataset


@contextmanager
def damage_named(location: Location, part: str = "") -> Iterator[None]:
    """Turn GDAL's failure to read inside the block into an error that names the file.

    Args:
        location: the file.
        part: which part of it is read.

    Raises:
        SceneError: a block cannot be read.
    """
    try:
        yield
    except GDAL_ERRORS as error:
        remedy = "try again later" if location.is_remote else "the file is damaged, get it again"
        raise SceneError(
            f"{location}: cannot be read{part and f', {part}'} ({reason(error)}): {remedy}"
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


def _check_file(location: Location) -> None:
    if location.is_remote:
        return
    if location.path.is_file():
        if not location.member:  # in a tar there is nothing but the product's own files
            check_companions(location.path)
        return
    found = "is a folder" if location.path.is_dir() else "no such file"
    raise SceneError(f"{location}: {found}, expected a GeoTIFF")


def _remedy(location: Location) -> str:
    if location.is_remote:
        return "check the address, your rights and the connection"
    return "get it again if it should be one, or convert it with gdal_translate"
