"""A lock between processes, released however the process that holds it ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import psutil

from geosrseg.raster.storage.holder_file import held

HELD = {errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK}
"""Error numbers where another process holds the lock."""

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
"""Error numbers where the file system has no locks."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags that refuse a link, which may lead to a foreign file, and never wait for a pipe."""

OWN_DISKS = frozenset({
    "apfs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fat", "hfs", "hfsplus", "jfs",
    "msdos", "ntfs", "overlay", "ramfs", "reiserfs", "tmpfs", "udf", "ufs", "vfat", "xfs", "zfs",
})  # fmt: skip
"""File systems that only one machine mounts."""

if sys.platform == "win32":
    import msvcrt

    def _acquire(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _acquire(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is created if missing and is not removed.

    On disks of this machine the system's lock suffices. Elsewhere (NFS, Lustre, FUSE) locks may
    be missing, or hold on one machine only, so a file beside `path` must be created too.

    Raises:
        BlockingIOError: another process holds the lock.
        OSError: the file cannot be created or locked, or is a link.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o644)
    try:
        try:
            _acquire(handle)
        except OSError as error:
            if error.errno in HELD:
                raise BlockingIOError(f"another process holds {path}") from error
            if error.errno not in NO_LOCKS:
                raise
            with held(path):
                yield
            return
        if not _is_at(handle, path):
            raise BlockingIOError(f"another process has just removed {path}")
        with nullcontext() if _is_of_this_machine(path) else held(path):
            yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file. Creates no file."""
    if not os.path.lexists(path):
        return False
    try:
        with locked(path):
            return False
    except BlockingIOError:
        return True
    except OSError:  # a read-only folder, or the path is not a lock
        return False


def _is_of_this_machine(path: Path) -> bool:
    """Whether the file is on a disk of this machine; False where that is unknown."""
    place = path.absolute()
    mounts = {Path(part.mountpoint): part for part in psutil.disk_partitions(all=True)}
    with suppress(OSError):
        place = place.resolve()
    found = next((mounts[folder] for folder in place.parents if folder in mounts), None)
    return (
        found is not None
        and found.fstype.lower() in OWN_DISKS
        and "remote" not in found.opts.split(",")  # Windows marks network drives so
    )


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one at the path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
