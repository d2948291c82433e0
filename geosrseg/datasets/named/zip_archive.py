"""Zip archive: a zip file from a distributor, checked before it is unpacked.

A zip can name files outside its folder, link to them, hold one member twice, or unpack to more
than any disk holds. Such a zip is refused as a whole.

Members are unpacked into the cache, not read in place: reading a window would decompress the
member from its start, which takes 46 ms instead of 4 for 480 x 480 pixels of an area of
Vaihingen.
"""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geosrseg.datasets.cache import make_once
from geosrseg.errors import DatasetError
from geosrseg.regular_file import check_regular

MAX_BYTES = 2**36
"""Largest unpacked size of an archive: 64 GiB, several times the largest dataset."""

MAX_RATIO = 500
"""Largest unpacked size as a multiple of the archive's own; label images reach 100."""

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError)


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """A zip file whose names, links and sizes have been checked; see `open_archive`."""

    path: Path
    members: tuple[zipfile.ZipInfo, ...]

    def unpack(self, names: Iterable[str]) -> Path:
        """Unpack members into the cache once, and return the folder that holds them by name.

        Raises:
            DatasetError: a member is damaged, or the cache cannot be written.
        """
        requested = {*names}
        chosen = [member for member in self.members if member.filename in requested]
        identity = [f"{m.filename} {m.CRC:08x} {m.file_size}" for m in chosen]
        return make_once("\n".join(identity), lambda folder: self._unpack(chosen, folder))

    def _unpack(self, chosen: list[zipfile.ZipInfo], folder: Path) -> None:
        try:
            with zipfile.ZipFile(self.path) as file:
                for member in chosen:
                    target = folder.joinpath(*PurePosixPath(member.filename).parts)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with file.open(member) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink, 2**20)
        except _ZIP_ERRORS as error:
            raise DatasetError(f"{self.path} is damaged ({error}): get it again") from error


def open_archive(path: Path) -> ZipArchive:
    """Open a zip file and check it.

    Raises:
        DatasetError: the file is not a zip, or is not safe to unpack.
    """
    try:
        check_regular(path)
        with zipfile.ZipFile(path) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
    except OSError as error:
        raise DatasetError(f"cannot read {path} ({error.strerror})") from error
    except _ZIP_ERRORS as error:
        raise DatasetError(f"{path} is not a complete zip file ({error}): get it again") from error
    for member in members:
        if fault := _fault(member):
            raise DatasetError(f"{path} is not unpacked: its member {member.filename!r} {fault}")
    _check_together(path, members)
    return ZipArchive(path, tuple(members))


def _fault(member: zipfile.ZipInfo) -> str:
    """Return the fault of a member, in words; empty without one."""
    name = member.orig_filename
    parts = PurePosixPath(name).parts
    kind = stat.S_IFMT(member.external_attr >> 16)
    if not parts or name.startswith("/") or ".." in parts:
        return "leads out of the folder"
    if any(mark in name for mark in ("\\", ":", "\0")):
        return "has a name that some systems take for another place"
    if kind not in (0, stat.S_IFREG):
        return "is a link or not a regular file"
    if member.flag_bits & 0x1:
        return "is encrypted: unpack it yourself"
    return ""


def _check_together(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename.casefold() for member in members]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{path} is not unpacked: it has the member {twice!r} more than once")
    total = sum(member.file_size for member in members)
    size = path.stat().st_size
    # Members that share bytes let a small file unpack to any size.
    overlapping = sum(member.compress_size for member in members) > size
    if total > min(MAX_BYTES, MAX_RATIO * size) or overlapping:
        raise DatasetError(
            f"{path} is not unpacked: {size} bytes would become {total}, expected at most "
            f"{MAX_BYTES} and {MAX_RATIO} times as many: unpack it yourself if you trust it"
        )
