"""Hashes and stamps of files, to tell whether they have changed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from geosrseg.errors import SceneError
from geosrseg.regular_file import open_regular

Stamp = tuple[int, int, int]
"""Inode, size and modification time: changes when a file is written or replaced."""


def hash_files(paths: Sequence[Path]) -> str:
    """BLAKE2b of the contents of files, in hexadecimal; SceneError if one cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        try:
            with open_regular(path) as file:
                digest.update(hashlib.file_digest(file, hashlib.blake2b).digest())
        except OSError as error:
            raise SceneError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def stamp_files(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    """The stamp of each file; zeros for a missing file."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns
