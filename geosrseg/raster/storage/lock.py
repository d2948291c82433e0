"""A lock between processes that goes with the process that holds it, however that ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import psutil

from geosrseg.raster.storage.holder_file import held

HELD = {errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK}
"""What the system says where another process holds the lock."""

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
"""What it says where the file system has no locks."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""What a link leads to is no lock of ours; and a named pipe is not waited for."""

OWN_DISKS = frozenset({
    "apfs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fat", "hfs", "hfsplus", "jfs",
    "msdos", "ntfs", "overlay", "ramfs", "reiserfs", "tmpfs", "udf", "ufs", "vfat", "xfs", "zfs",
})  # fmt: skip
"""File systems of disks that no other machine has mounted."""

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
    """Hold the lock of a file, which is made if it is not there and stays.

    The system's locks are trusted on disks of this machine. Elsewhere (NFS, Lustre, FUSE) they
    may be missing, or hold on one machine only: there a file beside it has to be made too.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the file cannot be made or locked, or is a link.
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
    """Whether a process holds the lock of a file; nothing is left behind by the look."""
    if not os.path.lexists(path):
        return False
    try:
        with locked(path):
            return False
    except BlockingIOError:
        return True
    except OSError:  # a folder that may only be read, or what stands there is no lock
        return False


def _is_of_this_machine(path: Path) -> bool:
    """The file lies on a disk of this machine; not where that is unknown."""
    place = path.absolute()
    mounts = {Path(part.mountpoint): part for part in psutil.disk_partitions(all=True)}
    with suppress(OSError):
        place = place.resolve()
    found = next((mounts[folder] for folder in place.parents if folder in mounts), None)
    return (
        found is not None
        and found.fstype.lower() in OWN_DISKS
        and "remote" not in found.opts.split(",")  # as Windows says
    )


def _is_at(handle: int, path: Path) -> bool:
    """The open file is the one that the path leads to."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
