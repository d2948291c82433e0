"""The commands on a terminal, as people type them: every other test runs them in a pipe."""

import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.tiny_datasets import write_dataset

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="no pty")]

ROOT = Path(__file__).parents[2]
TINY = shlex.split(
    "--preset slim --epochs 2 --chips-per-epoch 4 --batch-size 2 --crop 64 --seg-width 0.0625 "
    "--precision fp32 --no-class-offsets --averaging 0"
)


def run(*words, columns=80, rows=24):
    """The exit code and the whole output on a terminal of this size."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    command = [sys.executable, "-m", "geosrseg", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            more = os.read(mine, 65536)
        except OSError:  # on Linux, when the other end is closed
            break
        if not more:
            break
        seen += more
    os.close(mine)
    return process.wait(), seen.decode().replace("\r\n", "\n")


def parts(seen):
    """The texts that a line of the terminal showed, in order."""
    return [part for part in re.split(r"[\r\n]", seen) if part.strip()]


def test_sigterm_ends_a_training_with_its_own_code(data, tmp_path):
    words = ["train", *data, "-o", tmp_path / "run", *TINY, "--epochs", "500"]
    command = [sys.executable, "-m", "geosrseg", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True)
    while " epoch 1/500" not in process.stderr.readline():
        assert process.poll() is None
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert (tmp_path / "run" / "last.ckpt").is_file()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return ["--dataset", write_dataset(folder), "--data", folder]


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, run("train", *data, "-o", folder, "--sr", "espcn", *TINY)


def test_train_shows_a_bar_and_a_line_an_epoch(trained):
    folder, (code, seen) = trained
    assert code == 0, seen
    lines = parts(seen)
    assert any(re.search(r"training on cpu.*fp32: 2 epochs, 4 steps", line) for line in lines)
    bars = [line for line in lines if "% |" in line.replace("%|", "% |")]
    assert any(re.search(r"epoch 1/2 .*step [01]/4", bar) for bar in bars)
    assert max(map(len, bars)) <= 80
    epochs = [line for line in lines if re.match(r"\d\d:\d\d:\d\d epoch ", line)]
    assert [re.search(r"epoch (\d)/2", line)[1] for line in epochs] == ["1", "2"]
    assert all("loss " in line and "best " in line for line in epochs)
    assert lines[-1] == str(folder)


def test_reproduce_in_a_narrow_window(data, tmp_path):
    words = ["-o", tmp_path / "all", "--protocols", "lr", "--upscale", "4", "--split", "validation"]
    code, seen = run("reproduce", *data, *words, *TINY, columns=30)
    assert code == 0, seen
    bars = [line for line in parts(seen) if re.match(r"epoch \d/\d\D.*%\|", line)]
    assert bars
    assert max(map(len, bars)) <= 30


def test_evaluate_counts_windows(data, trained):
    code, seen = run("evaluate", trained[0], *data, "--split", "validation")
    assert code == 0, seen
    assert any("window" in line for line in parts(seen))


@pytest.fixture
def scene_words(data, tiny_model):
    scene = Path(data[-1]) / "image.tif"
    return ["predict", scene, "-m", tiny_model(bands=2), "--bands", "1,2"]


@pytest.mark.parametrize("columns", [80, 24])
def test_predict_says_what_it_does_in_any_window(scene_words, tmp_path, columns):
    code, seen = run(*scene_words, "-o", tmp_path / "map.tif", columns=columns)
    assert code == 0, seen
    lines = [line.removeprefix("\x1b[A").strip() for line in parts(seen)]
    words = ("opening model", "reading the scene", "network   0%", "writing the", "checking what")
    firsts = [next(k for k, line in enumerate(lines) if line.startswith(word)) for word in words]
    assert firsts == sorted(firsts)
    bars = [line for line in lines if line.startswith(words)]
    assert max(map(len, bars)) <= columns
    assert any(line.endswith(" windows") for line in bars) == (columns == 80)
    # The line is gone when the summary comes.
    left = [line.rpartition("\r")[2] for line in seen.rstrip().split("\n")]
    assert not any(line.startswith(words) for line in left)
    assert any(re.fullmatch(r"map of \d+ x \d+ pixels of \S+ m, \S+ MB", line) for line in left)
    assert left[-1] == str(tmp_path / "map.tif")


def test_predict_without_a_terminals_size(scene_words, tmp_path):
    code, seen = run(*scene_words, "-o", tmp_path / "map.tif", columns=0, rows=0)
    assert code == 0, seen
    assert any("window" in line for line in parts(seen))
