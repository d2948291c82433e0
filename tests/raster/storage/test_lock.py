"""Locks, with the system's help and where a file system has none."""

import errno
import os
import socket
import subprocess
import sys

import pytest

from geosrseg.raster.storage import lock
from geosrseg.raster.storage.lock import locked


@pytest.fixture(params=[None, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def system(request, monkeypatch):
    """As it is, and as NFS, FUSE and Lustre mounts without locks are."""
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
    """The file that stands for a lock."""

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
