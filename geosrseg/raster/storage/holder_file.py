"""A lock without the system's help: a file that only one process can make, and removes.

File systems without locks (some NFS, FUSE and Lustre mounts) have exclusive creation. The
file says who made it, so that what a killed process of this machine left is taken over.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from geosrseg.core.text.numerals import parse_integer
from geosrseg.regular_file import read_regular

SUFFIX = ".holder"

_LONGEST = 1000  # bytes
_LAST_PROCESS = 2**31 - 1


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file that stands for a lock.

    Raises:
        BlockingIOError: another process holds it, or may do so on another machine.
        OSError: it cannot be made.
    """
    holder = path.with_name(path.name + SUFFIX)
    _make(holder)
    try:
        yield
    finally:
        with suppress(OSError):
            holder.unlink()


def _make(holder: Path) -> None:
    try:
        _write(holder)
    except FileExistsError as error:
        host, pid, since = _read(holder)
        if host != socket.gethostname() or _may_run(pid):
            raise BlockingIOError(
                f"process {pid} on {host} has held {holder} since {since}: remove it if that "
                "process has ended"
            ) from error
        holder.unlink(missing_ok=True)
        _write(holder)


def _may_run(pid: str) -> bool:
    try:
        return bool(psutil.pid_exists(parse_integer(pid, high=_LAST_PROCESS)))
    except ValueError:
        return True  # nobody knows whose it is


def _write(holder: Path) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with holder.open("xb") as file:
        file.write(f"{socket.gethostname()} {os.getpid()} {now}\n".encode())


def _read(holder: Path) -> tuple[str, str, str]:
    try:
        words = read_regular(holder, limit=_LONGEST).decode("utf-8", "replace").split()
    except (OSError, ValueError):
        words = []
    host, pid, since, *_ = (*words, "unknown", "unknown", "unknown")
    return host, pid, since
