import os
from functools import partial
from pathlib import Path

import pytest

from geosrseg.evaluation.reproducing.training_pool import run_tasks


def write(path: Path):
    path.write_text(str(os.getpid()))


def fail(path: Path):
    raise KeyError(path.name)


def test_with_one_job_tasks_run_here_in_their_order(tmp_path):
    paths = [tmp_path / str(number) for number in range(3)]
    assert list(run_tasks([partial(write, path) for path in paths], jobs=1)) == [0, 1, 2]
    assert {path.read_text() for path in paths} == {str(os.getpid())}


@pytest.mark.slow
def test_with_several_each_runs_once_in_another_process(tmp_path):
    paths = [tmp_path / str(number) for number in range(4)]
    done = run_tasks([partial(write, path) for path in paths], jobs=2)
    assert sorted(done) == [0, 1, 2, 3]
    assert str(os.getpid()) not in {path.read_text() for path in paths}


@pytest.mark.slow
def test_what_a_task_raises_ends_all(tmp_path):
    with pytest.raises(KeyError, match="bad"):
        list(run_tasks([partial(fail, tmp_path / "bad"), partial(write, tmp_path / "x")], jobs=2))
