"""Regular files: how a file of somebody else is opened, and how one of our own is begun.

A named pipe or a device can keep its reader waiting for ever, or give without end; a symbolic
link that stands under the name of a draft leads what is written to somebody's file.
"""

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading if it is a regular one; links to such are followed.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    handle = os.open(path, _READ)  # a pipe without a writer opens at once, too
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def read_regular(path: Path, *, limit: int) -> bytes:
    """All of a regular file of at most `limit` bytes.

    Raises:
        OSError: it is none, is larger, or cannot be read.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"has more than {limit} bytes", str(path))
    return content


def hash_file(path: Path) -> str:
    """The SHA-256 of a regular file, in hexadecimal.

    Raises:
        OSError: it is none, or cannot be read.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_regular(path: Path) -> None:
    """Refuse what is no regular file, for a library that opens it by its name.

    Raises:
        OSError: it is none, or is not there.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is no regular file", str(path))


def create_new(path: Path) -> BinaryIO:
    """Begin a file of our own, for writing; what has its name is removed, a link itself too.

    Raises:
        OSError: it cannot be made.
    """
    path.unlink(missing_ok=True)
    return path.open("xb")
