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

    report = tmp_path / "report"
    evaluated = run("evaluate", runs, model, *data, "--split", "validation", "-o", report)
    assert evaluated.exit_code == 0, evaluated.stderr
    metrics, differences, classes = (table.splitlines() for table in evaluated.stdout.split("\n\n"))
    assert metrics[0].startswith("| model | overall acc. | norm. acc. | mean IoU | kappa | PSNR")
    assert [row.split(" | ")[0] for row in metrics[2:]] == ["| a 1", "| a 1 (2)"]
    assert differences[2].startswith("| a 1 (2) | +0.000 ")
    assert classes[0] == "| IoU | dark | bright |"
    reports = json.loads((report / "report.json").read_text())["reports"]
    assert reports[0]["confusion"]["rows"] == "reference"
    assert reports[0]["iou"] == reports[1]["iou"]  # a run is what its model file is
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
