"""A lock for file systems without reliable locks: a file that only one process can create.

All shared file systems (NFS, FUSE, Lustre) support exclusive creation, even where locks are
missing or hold on one machine only. The file names its maker, who renews its modification time
every few seconds while holding the lock. A lock left by a killed process of this machine is taken
over at once; one left by another machine, or by a process whose number another one has by now
(after a restart, or as the first process of a container), once its time is old. Both compared
times come from the file server, so clocks may differ.
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
"""Seconds between two renewals of the file's time."""

LEASE = 120.0
"""Seconds without renewal after which the holder counts as gone."""

_MAX_BYTES = 1000
_LAST_PROCESS = 2**31 - 1


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock by a file of its own beside `path`, which must exist.

    Raises:
        BlockingIOError: another process holds the lock, or may hold it on another machine.
        OSError: the file cannot be created.
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
            if _read(holder) == own:  # not so if another took over while this process was halted
                holder.unlink()


def _beat(holder: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with suppress(OSError):
            os.utime(holder)


def _make(holder: Path, path: Path) -> bytes:
    """Create the file and return its unique text."""
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
        with suppress(ValueError):  # an unreadable process number
            if not psutil.pid_exists(parse_integer(pid, high=_LAST_PROCESS)):
                return True
    try:
        os.utime(path)
        return path.stat().st_mtime - holder.stat().st_mtime > LEASE
    except FileNotFoundError:  # it has just been released
        return True


def _remove(holder: Path, text: bytes) -> None:
    """Remove the file that holds `text`, but not another that has just replaced it.

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
        return read_regular(holder, limit=_MAX_BYTES)
    except (OSError, ValueError):
        return b""
