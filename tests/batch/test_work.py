"""The file of tasks: what a line pins, and what is refused."""

import json

import pytest

from geosrseg.batch.work import Task, read_work, write_work
from geosrseg.errors import WorkError

TASK = Task(
    scene="/in/a.tif",
    output="/out/a.tif",
    options={"window_size": 64},
    model="tiny",
    sha256="0" * 64,
    device="cpu",
    precision="fp32",
    version="1",
)


def test_it_is_read_as_it_was_written(tmp_path):
    write_work(tmp_path / "w.jsonl", [TASK])
    assert read_work(tmp_path / "w.jsonl") == [TASK]


@pytest.mark.parametrize(
    "change",
    [
        {"scene": "/in/b.tif"},
        {"output": "/out/b.tif"},
        {"options": {"window_size": 96}},
        {"products": ("areas",)},
        {"sha256": "1" * 64},
        {"device": "openvino"},
        {"precision": "bf16"},
        {"version": "2"},
    ],
)
def test_the_id_differs_with_all_that_decides_bytes(change):
    from dataclasses import replace

    assert replace(TASK, **change).id != TASK.id


def test_the_id_is_the_same_wherever_the_model_lies():
    from dataclasses import replace

    assert replace(TASK, model="/elsewhere/tiny.onnx", seconds=9.0, windows=4).id == TASK.id


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 1 is not a task"),
        ("[]", "expected a JSON object"),
        (json.dumps(TASK.to_json() | {"scene": 4}), "scene is text, got 4"),
        ("[" * 100_000, "line 1 is not a task"),
    ],
)
def test_a_line_that_is_no_task_is_named(tmp_path, line, words):
    (tmp_path / "w.jsonl").write_text(line)
    with pytest.raises(WorkError, match=words):
        read_work(tmp_path / "w.jsonl")


def test_two_tasks_cannot_make_one_map(tmp_path):
    write_work(tmp_path / "w.jsonl", [TASK, TASK])
    with pytest.raises(WorkError, match=r"lines 1 and 2 both make /out/a\.tif"):
        read_work(tmp_path / "w.jsonl")


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(WorkError, match="No such file"):
        read_work(tmp_path / "none.jsonl")
