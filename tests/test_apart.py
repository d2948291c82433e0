import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from geosrseg.apart import GivenUpError, run_apart
from geosrseg.bench.process import MeasuredProcess
from geosrseg.errors import SceneError

HERE = "tests.apart_functions"


def test_it_gives_what_the_function_gives():
    content = os.urandom(2**20)
    assert run_apart(f"{HERE}:joined", content, ["é", ""], seconds=60) == content + " é ".encode()


def test_an_error_of_ours_is_raised_here():
    with pytest.raises(SceneError, match=r"^a.tif: is not a scene$"):
        run_apart(f"{HERE}:refuse", b"a.tif", seconds=60)


def test_any_other_is_said():
    with pytest.raises(GivenUpError, match="KeyError"):
        run_apart(f"{HERE}:fail", b"", seconds=60)


@pytest.mark.parametrize("number", [signal.SIGFPE, signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_what_ends_the_child_ends_nothing_else(number):
    with pytest.raises(GivenUpError, match=f"its process ended with {number.name}"):
        run_apart(f"{HERE}:end", b"", [str(int(number))], seconds=60)


@pytest.mark.parametrize("name", ["multiprocessing", "pickle", "numpy", "sitecustomize"])
def test_workers_run_nothing_of_the_current_folder(tmp_path, monkeypatch, name):
    (tmp_path / f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit('ran')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with MeasuredProcess("it", f"{HERE}:doing_nothing") as process:
        process.seconds()
    assert not (tmp_path / "ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ


def test_a_child_without_an_answer():
    with pytest.raises(GivenUpError, match="with code 3"):
        run_apart(f"{HERE}:leave", b"", seconds=60)


@pytest.mark.skipif(sys.platform != "linux", reason="others do not hold a process to it")
def test_a_child_has_little_memory():
    with pytest.raises(GivenUpError, match="out of memory"):
        run_apart(f"{HERE}:fill", b"", seconds=60, memory=2**28)


def test_a_child_has_little_time(tmp_path):
    with pytest.raises(GivenUpError, match="not within 3 s"):
        run_apart(f"{HERE}:wait", str(tmp_path / "pid").encode(), seconds=3)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_child_too(tmp_path, number):
    code = (
        "from geosrseg.cli.stopping import stopped_by_signals\n"
        "from geosrseg.apart import run_apart\n"
        f"content = {os.fsencode(tmp_path / 'pid')!r}\n"
        f"with stopped_by_signals(): run_apart('{HERE}:wait', content, seconds=600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(60) in (143, -signal.SIGINT)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
