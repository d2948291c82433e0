"""Checks the files that GDAL would open together with a GeoTIFF.

GDAL treats a raster beside the file as its overviews or mask and opens it with any driver, so
a VRT there can expose any file on this machine. A tag inside the file can also name the
overviews, as any path or URL. This module checks both before GDAL follows them.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import rasterio
from rasterio.io import DatasetReader

from geosrseg.errors import SceneError
from geosrseg.raster.storage.crs_text import read_crs
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.regular_file import check_regular, open_regular, read_regular

RASTERS = ("ovr", "msk")
"""Suffixes that GDAL looks for beside a GeoTIFF, and in turn beside each file found."""

PAM = ".aux.xml"
"""Suffix of GDAL's sidecar for what a GeoTIFF cannot hold, such as some CRSs."""

MAX_PAM_BYTES = 2**24
"""Largest sidecar accepted; statistics and 255 class names take some 40 kB."""

ERDAS_MAGIC = b"EHFA_HEADER_TAG"


def check_companions(path: Path) -> None:
    """Refuse a local file with a companion that GDAL would open with another driver.

    Call this before opening the file.

    Raises:
        SceneError: names the companion.
    """
    _check_regular_ones(path)
    for companion in _companions(path):
        if companion.name.casefold().endswith(PAM):
            _check_pam(path, companion)
        elif companion.exists() and not companion.is_dir() and (fault := _fault(companion)):
            raise SceneError(
                f"{path}: GDAL would use {companion.name} beside it as overviews or mask, but "
                f"that is not a plain GeoTIFF ({fault}): move it away"
            )


def masks_beside(path: Path) -> list[Path]:
    """Masks that GDAL reads with a local file, by the names that GDAL tries."""
    names = (path.with_name(f"{path.name}.{suffix}") for suffix in ("msk", "MSK"))
    return [name for name in names if name.is_file()]


def check_overviews(dataset: DatasetReader) -> None:
    """Refuse an open file that names another one as its overviews.

    Reading the tags opens no other file; reading the overviews would.

    Raises:
        SceneError: it does; the message omits the file's name.
    """
    if any(key.upper() == "OVERVIEW_FILE" for key in dataset.tags(ns="OVERVIEWS")):
        raise SceneError(
            "it names another file as its overviews, which is not followed: remove its metadata "
            "item OVERVIEW_FILE, or the .aux.xml beside it if that holds it"
        )


def _check_regular_ones(path: Path) -> None:
    """Refuse pipes and devices on which GDAL might block when it looks for a world file or RPCs."""
    stem = path.stem.casefold()
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            name = entry.name.casefold()
            is_beside = name.startswith(stem) and not name[len(stem) : len(stem) + 1].isalnum()
            if is_beside and not entry.is_file() and not entry.is_dir() and _is_there(entry.path):
                raise SceneError(
                    f"{path}: {entry.name} beside it is not a regular file: move it away"
                )


def _is_there(path: str) -> bool:
    """Whether opening the path could block: it is neither a broken link nor a socket."""
    return Path(path).exists() and not Path(path).is_socket()


def _check_pam(path: Path, companion: Path) -> None:
    """Refuse a sidecar whose CRS is a path or URL, or names a grid: GDAL would open that."""
    try:
        content = read_regular(companion, limit=MAX_PAM_BYTES)
        for text in _crs_texts(content):
            read_crs(text)
    except (OSError, ValueError) as error:
        raise SceneError(
            f"{path}: {companion.name} beside it is refused ({reason(error)}): move it away"
        ) from error


def _crs_texts(content: bytes) -> Iterator[str]:
    """Every text that GDAL could read as a CRS."""
    try:
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise ValueError("it defines entities")
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        if re.search(b"SRS|WKT|Projection", content, re.IGNORECASE):  # GDAL is less strict
            raise ValueError(f"it is not XML: {error}") from error
        return
    for element in root.iter():
        texts = [element.text or ""] if element.tag.casefold() in ("srs", "wkt") else []
        texts += [value for key, value in element.items() if key.casefold() == "projection"]
        yield from filter(str.strip, texts)


def _companions(path: Path) -> Iterator[Path]:
    name = path.name.casefold()
    erdas = {f"{path.stem}.aux".casefold(), f"{name}.aux"}
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:  # GDAL tries these names where the folder cannot be listed
        names = [f"{path.name}.{suffix}" for suffix in RASTERS]
        names += [f"{path.name}{PAM}"] if path.with_name(f"{path.name}{PAM}").exists() else []
    for found in names:
        key = found.casefold()
        suffixes = key.removeprefix(f"{name}.").split(".")
        if (
            key in erdas
            or key == f"{name}{PAM}"
            or (key.startswith(f"{name}.") and set(suffixes) <= set(RASTERS))
        ):
            yield path.with_name(found)


def _fault(companion: Path) -> str:
    """Why GDAL must not open a companion; empty if it may."""
    try:
        check_regular(companion)
        if companion.suffix.casefold() == ".aux":
            with open_regular(companion) as file:
                is_erdas = file.read(len(ERDAS_MAGIC)) == ERDAS_MAGIC
            return "it is an ERDAS file" if is_erdas else ""
        with unreferenced_allowed(), rasterio.open(companion, driver="GTiff") as dataset:
            check_overviews(dataset)
    except SceneError as error:
        return str(error)
    except GDAL_ERRORS as error:
        return reason(error)
    return ""
