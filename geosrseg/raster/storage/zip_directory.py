"""Checks an untrusted ZIP archive and its members before anything is unpacked."""

import struct
import zipfile
from pathlib import Path, PurePosixPath

MOST_DIRECTORY_BYTES = 2**23
"""Largest directory of an archive; one of 10 000 members with long names has 3 MB."""

MOST_GROWTH = 200
"""Largest compression ratio. XML shrinks to a tenth, the pixels of products hardly at all."""

SMALL = 2**20
"""Bytes that a member may unpack to at any ratio."""

_END, _END64, _LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open an archive whose directory fits into memory.

    Raises:
        ValueError: the directory is too large.
        zipfile.BadZipFile: the file is not a ZIP archive.
        OSError: the file cannot be read.
    """
    size = _directory_bytes(path)
    if size > MOST_DIRECTORY_BYTES:
        raise ValueError(
            f"its list of files has {size} bytes, expected at most {MOST_DIRECTORY_BYTES}"
        )
    return zipfile.ZipFile(path)


def check_member(member: zipfile.ZipInfo) -> str:
    """Why a member is not a plain file inside the archive; empty if it is one."""
    path = PurePosixPath(member.filename)
    kind = member.external_attr >> 28
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in path.parts[0]:
        return "leads out of it"
    if kind not in (0, 8):
        return "is not a plain file"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type not in _METHODS:
        return "has a compression that GDAL cannot read"
    if member.file_size > SMALL + MOST_GROWTH * member.compress_size:
        return f"would unpack to {member.file_size} bytes"
    return ""


def _directory_bytes(path: Path) -> int:
    """Size of the directory, as the archive's last record states it."""
    with path.open("rb") as file:
        total = file.seek(0, 2)
        file.seek(max(total - 2**16 - 22 - 20, 0))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile("it has no list of files")
        (size,) = struct.unpack_from("<L", tail, at + 12)
        if size != 0xFFFFFFFF:
            return int(size)
        if at >= 20 and tail[at - 20 : at - 16] == _LOCATOR:
            (offset,) = struct.unpack_from("<Q", tail, at - 12)
            file.seek(min(offset, total))
            record = file.read(56)
            if record[:4] == _END64 and len(record) == 56:
                return int(struct.unpack_from("<Q", record, 40)[0])
        raise zipfile.BadZipFile("its list of files is missing")
