"""Locks, on file systems with and without locks of their own."""

import errno
import os
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from geosrseg.raster.storage import holder_file, lock
from geosrseg.raster.storage.holder_file import LEASE
from geosrseg.raster.storage.lock import is_locked, locked


@pytest.fixture(params=[None, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def system(request, monkeypatch):
    """The file system as it is, and one without locks, as NFS, FUSE and Lustre may be."""
    if request.param is not None:

        def refuse(handle):
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(lock, "_acquire", refuse)


@pytest.mark.usefixtures("system")
def test_one_holds_it_at_a_time(tmp_path):
    for _ in range(2):
        with (
            locked(tmp_path / "lock"),
            pytest.raises(BlockingIOError),
            locked(tmp_path / "lock"),
        ):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES])
def test_what_says_that_somebody_holds_it(tmp_path, monkeypatch, code):
    def refuse(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(lock, "_acquire", refuse)
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock"):
        pass


def test_any_other_failure_is_itself(tmp_path, monkeypatch):
    def refuse(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(lock, "_acquire", refuse)
    with pytest.raises(OSError, match="Input/output error") as caught, locked(tmp_path / "lock"):
        pass
    assert not isinstance(caught.value, BlockingIOError)


class TestHolder:
    """The file that replaces the system's lock."""

    @pytest.fixture(autouse=True)
    def without_locks(self, monkeypatch):
        def refuse(handle):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(lock, "_acquire", refuse)

    def test_what_a_killed_process_left_is_taken_over(self, tmp_path):
        command = [sys.executable, "-c", "import os; print(os.getpid())"]
        ended = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        (tmp_path / "lock.holder").write_text(f"{socket.gethostname()} {ended} 2026-01-01\n")
        with locked(tmp_path / "lock"):
            assert (tmp_path / "lock.holder").read_text().split()[1] == str(os.getpid())

    @pytest.mark.parametrize("text", ["elsewhere 1 2026-01-01", "", "no sense at all"])
    def test_what_may_be_at_work_is_named(self, tmp_path, text):
        (tmp_path / "lock.holder").write_text(text)
        with (
            pytest.raises(BlockingIOError, match=r"lock\.holder .*remove it if that process"),
            locked(tmp_path / "lock"),
        ):
            pass
        assert (tmp_path / "lock.holder").read_text() == text

    @pytest.mark.parametrize(("age", "taken"), [(LEASE - 30, False), (LEASE + 30, True)])
    @pytest.mark.parametrize("host", ["elsewhere", socket.gethostname()])
    def test_what_another_machine_or_start_left_is_taken_over_when_it_is_old(
        self, tmp_path, host, age, taken
    ):
        holder = tmp_path / "lock.holder"
        holder.write_text(f"{host} {os.getpid()} 2026-01-01")  # a number that is in use again
        os.utime(holder, (0, time.time() - age))
        if taken:
            with locked(tmp_path / "lock"):
                assert holder.read_text().split()[:2] == [socket.gethostname(), str(os.getpid())]
            assert [path.name for path in tmp_path.iterdir()] == ["lock"]
        else:
            with pytest.raises(BlockingIOError, match=host), locked(tmp_path / "lock"):
                pass

    def test_a_holder_at_work_keeps_its_file_young(self, tmp_path, monkeypatch):
        monkeypatch.setattr(holder_file, "BEAT", 0.01)
        holder = tmp_path / "lock.holder"
        with locked(tmp_path / "lock"):
            os.utime(holder, (0, 0))
            deadline = time.monotonic() + 20
            while holder.stat().st_mtime == 0 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert holder.stat().st_mtime > 0

    def test_who_was_taken_for_gone_removes_no_file_of_another(self, tmp_path):
        with locked(tmp_path / "lock"):
            (tmp_path / "lock.holder").write_text("another 1 2026-01-01")
        assert (tmp_path / "lock.holder").read_text() == "another 1 2026-01-01"

    def test_of_two_that_take_over_one_does(self, tmp_path):
        holder = tmp_path / "lock.holder"
        holder.write_text("rival 1 2026-01-01")  # it has just taken over what was stale
        with pytest.raises(BlockingIOError, match="another process has just taken"):
            holder_file._remove(holder, b"elsewhere 1 2025-01-01")
        assert holder.read_text() == "rival 1 2026-01-01"
        assert list(tmp_path.iterdir()) == [holder]


@pytest.mark.parametrize(
    ("kind", "alone"),
    [("ext4", False), ("nfs4", True), ("lustre", True), ("fuse.sshfs", True), ("", True)],
)
def test_locks_of_shared_disks_are_not_trusted(tmp_path, monkeypatch, kind, alone):
    """Two machines whose locks are local, as on NFS mounted with `nolock`."""
    mount = SimpleNamespace(mountpoint=str(tmp_path.resolve()), fstype=kind, opts="rw")
    monkeypatch.setattr("psutil.disk_partitions", lambda all: [mount])
    monkeypatch.setattr(lock, "_acquire", lambda handle: None)
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock.holder").exists() == alone
        monkeypatch.setattr("socket.gethostname", lambda: "another")
        if alone:
            with pytest.raises(BlockingIOError, match="has held"), locked(tmp_path / "lock"):
                pass
        monkeypatch.undo()


def test_a_look_at_a_lock_leaves_nothing_behind(tmp_path):
    lock = tmp_path / "lock"
    assert not is_locked(lock)
    assert not lock.exists()
    with locked(lock):
        assert is_locked(lock)
    assert not is_locked(lock)


def test_what_cannot_be_a_lock_is_held_by_nobody(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "gone")
    assert not is_locked(tmp_path / "lock")
    assert not (tmp_path / "gone").exists()
