"""A lock without the system's help: a file that only one process can make, and removes.

Exclusive creation is what all shared file systems have (NFS, FUSE, Lustre), also those whose locks
are missing or hold on one machine only. The file says who made it, and its time is set again every
few seconds as long as the lock is held: so what a killed process of this machine left is taken over
at once, and what a machine that is gone left, when its time is old. The times compared are both
the file server's, so clocks may differ.
"""

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from geosrseg.core.text.numerals import parse_integer
from geosrseg.regular_file import read_regular

SUFFIX = ".holder"

BEAT = 10.0
"""Seconds after which a holder sets the time of its file again."""

LEASE = 120.0
"""Seconds without that after which it is taken to be gone."""

_LONGEST = 1000  # bytes
_LAST_PROCESS = 2**31 - 1


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file that stands for a lock.

    Args:
        path: the lock, a file that is there; the one that stands for it lies beside it.

    Raises:
        BlockingIOError: another process holds it, or may do so on another machine.
        OSError: it cannot be made.
    """
    holder = path.with_name(path.name + SUFFIX)
    own = _make(holder, path)
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(holder, ended), name="lock", daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        with suppress(OSError):
            if _read(holder) == own:  # or another took it over, while this process was halted
                holder.unlink()


def _beat(holder: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with suppress(OSError):
            os.utime(holder)


def _make(holder: Path, path: Path) -> bytes:
    """Make the file; its text, which no other one has."""
    try:
        return _write(holder)
    except FileExistsError as error:
        text = _read(holder)
        words = text.decode("utf-8", "replace").split()
        host, pid, since, *_ = (*words, "unknown", "unknown", "unknown")
        if not _is_gone(holder, path, host, pid):
            raise BlockingIOError(
                f"process {pid} on {host} has held {holder} since {since}: remove it if that "
                f"process has ended, or wait {LEASE:.0f} s"
            ) from error
        _remove(holder, text)
        return _write(holder)


def _is_gone(holder: Path, path: Path, host: str, pid: str) -> bool:
    if host == socket.gethostname():
        with suppress(ValueError):  # or nobody knows whose it is
            return not psutil.pid_exists(parse_integer(pid, high=_LAST_PROCESS))
    try:
        os.utime(path)
        return path.stat().st_mtime - holder.stat().st_mtime > LEASE
    except FileNotFoundError:  # it has just been given back
        return True


def _remove(holder: Path, text: bytes) -> None:
    """Remove a file that says `text`, and no other that has just taken its place.

    Raises:
        BlockingIOError: another process was faster.
    """
    aside = holder.with_name(f"{holder.name}.{secrets.token_hex(8)}")
    try:
        holder.rename(aside)
    except FileNotFoundError:
        return
    try:
        if _read(aside) != text:
            with suppress(OSError):
                os.link(aside, holder)
            raise BlockingIOError(f"another process has just taken {holder}")
    finally:
        aside.unlink(missing_ok=True)


def _write(holder: Path) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    text = f"{socket.gethostname()} {os.getpid()} {now} {secrets.token_hex(8)}\n".encode()
    with holder.open("xb") as file:
        file.write(text)
    return text


def _read(holder: Path) -> bytes:
    try:
        return read_regular(holder, limit=_LONGEST)
    except (OSError, ValueError):
        return b""
