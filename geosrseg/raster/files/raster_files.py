"""RasterFiles: a cache of a dataset's open files.

A dataset may have thousands of files, and several processes read it at once. A file is opened on
its first read, and the most recently read ones stay open. Each process opens its own, because
handles that a fork shares would move each other's read positions. JPEG and PNG have no random
access, so such a file is decoded once into memory.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rasterio
import rasterio.shutil
from rasterio.io import DatasetReader, MemoryFile

from geosrseg.core.text.counted import counted
from geosrseg.errors import DatasetError, SceneError
from geosrseg.raster.files.blocks import check_blocks
from geosrseg.raster.files.warp import Warp
from geosrseg.raster.storage.companions import check_companions, check_overviews
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.regular_file import open_regular

OPEN_FILES = 128
"""Files kept open; the usual limit of a process is 1024."""

DECODED_BYTES = 2**29
"""Size of the decoded JPEG and PNG images kept: 63 aerial images and their masks."""

_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
}
"""First bytes of a file -> the GDAL driver that reads it."""

_DECODING_ERRORS: tuple[type[Exception], ...] = (*GDAL_ERRORS, SystemError)
"""rasterio raises SystemError where GDAL fails to decode an image without stating an error."""

_WITHOUT_RANDOM_ACCESS = ("JPEG", "PNG")


def find_driver(path: Path) -> str:
    """The GDAL driver of a dataset's file, by its content: GTiff, JPEG, PNG or ENVI.

    No other driver is used, because some open further files that their input names.

    Raises:
        DatasetError: the file is missing or has another format.
    """
    try:
        with open_regular(path) as file:
            begin = file.read(4)
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    for signature, driver in _SIGNATURES.items():
        if begin.startswith(signature):
            return driver
    headers = (path.with_suffix(".hdr"), path.with_suffix(".HDR"), Path(f"{path}.hdr"))
    if any(header.is_file() for header in headers):
        return "ENVI"
    raise DatasetError(
        f"{path} has an unknown format: expected GeoTIFF, JPEG, PNG, or ENVI with its header "
        "(.hdr) beside it"
    )


@dataclass
class _Entry:
    dataset: DatasetReader
    source: DatasetReader | None = None
    memory: MemoryFile | None = None
    size: int = 0

    def close(self) -> None:
        for part in (self.dataset, self.source, self.memory):
            if part:
                part.close()

    def warped(self, warp: Warp | None) -> "_Entry":
        if warp is None:
            return self
        return _Entry(warp.open(self.dataset), self.dataset, self.memory, self.size)


@dataclass
class RasterFiles:
    """Open files within two limits; the least recently used is closed first.

    Attributes:
        open_files: most files kept open.
        decoded_bytes: most memory for decoded JPEG and PNG images.
    """

    open_files: int = OPEN_FILES
    decoded_bytes: int = DECODED_BYTES
    _entries: OrderedDict[tuple[Path, Warp | None], _Entry] = field(
        default_factory=OrderedDict, init=False
    )
    _process: int = field(default_factory=os.getpid, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    @contextmanager
    def use(self, path: Path, warp: Warp | None = None) -> Iterator[DatasetReader]:
        """Borrow an open file for a ``with`` block; `warp` reads it on another grid.

        Raises:
            DatasetError: the file cannot be opened, or reading it in the block failed.
        """
        with self._lock:
            self._leave_other_processes()
            key = (path, warp)
            entry = self._entries.pop(key, None) or _open(path, warp, self.decoded_bytes)
            self._entries[key] = entry
            self._evict()
            try:
                yield entry.dataset
            except GDAL_ERRORS as error:
                raise DatasetError(f"cannot read {path} ({reason(error)})") from error

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            while self._entries:
                self._entries.popitem()[1].close()

    def _leave_other_processes(self) -> None:
        """Drop the handles of the process that this one was forked from."""
        if self._process != os.getpid():
            self._process = os.getpid()
            for key in [key for key, entry in self._entries.items() if not entry.memory]:
                self._entries.pop(key).close()

    def _evict(self) -> None:
        total = sum(entry.size for entry in self._entries.values())
        while len(self._entries) > self.open_files or total > self.decoded_bytes:
            _, entry = self._entries.popitem(last=False)
            total -= entry.size
            entry.close()

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the limits without the open files."""
        return {"open_files": self.open_files, "decoded_bytes": self.decoded_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _open(path: Path, warp: Warp | None, limit: int) -> _Entry:
    driver = find_driver(path)
    try:
        check_companions(path)
        with unreferenced_allowed():
            dataset = rasterio.open(path, driver=driver)
            check_overviews(dataset)
            check_blocks(dataset, dataset.indexes)
            if driver not in _WITHOUT_RANDOM_ACCESS:
                return _Entry(dataset).warped(warp)
            with dataset:
                return _decode(path, dataset, limit).warped(warp)
    except SceneError as error:
        raise DatasetError(f"cannot open {path}: {error}") from error
    except GDAL_ERRORS as error:
        raise DatasetError(f"cannot open {path} as {driver} ({reason(error)})") from error


def _decode(path: Path, dataset: DatasetReader, limit: int) -> _Entry:
    size = dataset.height * dataset.width * dataset.count
    if size > limit:
        raise DatasetError(
            f"{path} has {dataset.width} x {dataset.height} pixels of "
            f"{counted(dataset.count, 'band')}, and {dataset.driver} must be decoded as a "
            "whole: store it as a tiled GeoTIFF, with gdal_translate -co TILED=YES"
        )
    memory = MemoryFile(ext=".tif")
    options = {"TILED": "YES", "INTERLEAVE": "PIXEL"}
    try:
        rasterio.shutil.copy(dataset, memory.name, driver="GTiff", **options)
    except _DECODING_ERRORS as error:
        raise DatasetError(f"cannot decode {path}: the file is damaged, get it again") from error
    return _Entry(memory.open(driver="GTiff"), memory=memory, size=size)
