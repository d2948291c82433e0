"""``train``, ``export`` and ``evaluate``, one after the other, as a user types them."""

import json

import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from tests.tiny_datasets import write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

TINY = "--preset slim --epochs 1 --chips-per-epoch 8 --crop 64 --sr-base 4 --seg-width 0.0625"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_from_a_dataset_to_a_table(tmp_path):
    card, runs, model = write_dataset(tmp_path), tmp_path / "runs/a", tmp_path / "a.onnx"
    data = ["--dataset", card, "--data", tmp_path]

    trained = run("train", *data, "-o", runs, "--precision", "32-true", *TINY.split())
    assert (trained.exit_code, trained.stdout) == (0, f"{runs}\n"), trained.stderr

    exported = run("export", runs, "-o", model, "--limits", "squares only")
    assert exported.exit_code == 0, exported.stderr
    assert "labels agree with PyTorch's on " in exported.stdout

    report = tmp_path / "report.json"
    evaluated = run("evaluate", model, model, *data, "--split", "validation", "-o", report)
    assert evaluated.exit_code == 0, evaluated.stderr
    head, _, *rows = evaluated.stdout.splitlines()
    assert "mean IoU" in head
    assert len(rows) == 2
    assert rows[0].startswith("| a 1 | ")
    reports = json.loads(report.read_text())["reports"]
    assert reports[0]["confusion"]["rows"] == "reference"
    assert reports[0]["iou"].keys() == {"dark", "bright"}


def test_a_value_out_of_range_is_one_line(tmp_path):
    card = write_dataset(tmp_path)
    words = ["train", "--dataset", card, "--data", tmp_path, "-o", tmp_path / "run"]
    result = run(*words, "--crop", "100")
    assert result.exit_code == 1
    assert result.stderr == "error: the chip size is a multiple of 32, got 100\n"


def test_missing_data_is_one_line(tmp_path):
    result = run("train", "--dataset", tmp_path / "none.toml", "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "cannot read the dataset card" in result.stderr
