"""``train``, ``export`` and ``evaluate`` in sequence, as a user types them."""

import json
from dataclasses import fields
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from geosrseg.cli.learning.train import train
from geosrseg.cli.main import main
from geosrseg.networks.framework import PROTOCOLS
from geosrseg.networks.presets import PRESETS
from geosrseg.networks.recipe import SCHEDULES, Precision, Recipe
from geosrseg.training.surroundings import DEVICES
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

    trained = run("train", *data, "-o", runs, "--precision", "fp32", *TINY.split())
    assert (trained.exit_code, trained.stdout) == (0, f"{runs}\n"), trained.stderr

    readme = tmp_path / "README.md"
    exported = run("export", runs, "-o", model, "--limits", "squares only", "--card", readme)
    assert exported.exit_code == 0, exported.stderr
    assert "labels agree with PyTorch's on " in exported.stdout
    assert "squares only" in readme.read_text(encoding="utf-8")

    report = tmp_path / "report"
    evaluated = run("evaluate", runs, model, *data, "--split", "validation", "-o", report)
    assert evaluated.exit_code == 0, evaluated.stderr
    metrics, differences, classes = (table.splitlines() for table in evaluated.stdout.split("\n\n"))
    assert metrics[0].startswith("| model | overall acc. | norm. acc. | mean IoU | kappa | PSNR")
    assert [row.split(" | ")[0] for row in metrics[2:]] == ["| a", "| a (2)"]
    assert differences[2].startswith("| a (2) | +0.000 ")
    assert classes[0] == "| IoU | dark | bright |"
    reports = json.loads((report / "report.json").read_text())["reports"]
    assert reports[0]["confusion"]["rows"] == "reference"
    assert reports[0]["iou"] == reports[1]["iou"]  # a run equals its model file
    assert reports[0]["iou"].keys() == {"dark", "bright"}


def test_without_a_name_a_run_is_called_as_what_is_trained(tmp_path, monkeypatch):
    """A foreign file in the default folder makes the command name it, without any training."""
    folder = tmp_path / "runs/squares-end-to-end-4x"
    folder.mkdir(parents=True)
    (folder / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    result = run("train", "--dataset", write_dataset(tmp_path), "--preset", "slim", "--crop", 32)
    assert result.exit_code == 1
    assert "runs/squares-end-to-end-4x holds notes.txt" in result.stderr


def test_a_value_out_of_range_is_one_line(tmp_path):
    card = write_dataset(tmp_path)
    words = ["train", "--dataset", card, "--data", tmp_path, "-o", tmp_path / "run"]
    result = run(*words, "--crop", "100")
    assert result.exit_code == 1
    assert result.stderr == "error: --crop is a multiple of 32, got 100\n"


def test_missing_data_is_one_line(tmp_path):
    result = run("train", "--dataset", tmp_path / "none.toml", "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "cannot read the dataset card" in result.stderr


def test_the_choices_are_the_librarys():
    """The command repeats the list, because its help must not load PyTorch."""
    choices = {
        parameter.name: tuple(parameter.type.choices)
        for parameter in train.params
        if isinstance(parameter.type, click.Choice)
    }
    assert choices["protocol"] == PROTOCOLS
    assert choices["preset"] == tuple(PRESETS)
    assert choices["schedule"] == SCHEDULES
    assert choices["device"] == DEVICES
    assert choices["precision"] == get_args(Precision)


def test_every_value_of_a_recipe_can_be_replaced():
    names = {parameter.name for parameter in train.params}
    assert {field.name for field in fields(Recipe)} <= names


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("--protocol lr --sr espcn", 1, "--sr: protocol lr has no super-resolution part"),
        ("--protocol hr --sr-rate 1", 1, "--sr-rate: protocol hr has no super-resolution part"),
        ("--sr vdsr", 1, "--sr vdsr: there is no such network, expected one of dbpn, espcn"),
        ("--sr espcn --sr-stages 3", 1, "--sr espcn has no option stages, expected none at all"),
        ("--seg unet --logits-block", 1, "--seg unet has no option logits_block, expected width"),
        ("--sr-option stages", 2, "'stages': expected NAME=VALUE, such as width=32"),
        ("--sr-option stages=2.5", 1, "--sr-option stages=2.5: expected a whole number"),
        ("--seg-width 0", 1, "--seg segnet: expected a width above 0"),
        ("--resume --overwrite", 2, "--resume continues a run that --overwrite would delete"),
        ("--preset paper --init-sr no.pth", 1, "no.pth cannot be read as weights"),
        ("--joint compact --seg unet", 1, "seg beside the network compact, which is one for both"),
        (
            "--joint compact --protocol two-stage",
            1,
            "two-stage trains two networks",
        ),
        ("--joint compact --init-seg vgg16", 1, "vgg16 holds weights for an SR or"),
        ("--loss ce,iou", 1, "--loss is made of ce, dice, lovasz, focal, boundary, got ce, iou"),
        ("--loss ce=much", 2, "expected NAME or NAME=WEIGHT"),
        ("--class-weights 1,2,3", 1, "3 class weights, expected one for each of 2 classes"),
        ("--class-weights some", 2, "'some' is not a valid float"),
        ("--device mps", 1, "--device mps: PyTorch finds none here"),
        ("--logger paper", 1, "--logger paper: there is no such logger, expected lit, comet, csv"),
        ("--seg smp:unet/nothing", 1, "has no network 'unet/nothing'"),
    ],
)
def test_what_does_not_go_together_is_one_line(tmp_path, words, code, message):
    card = write_dataset(tmp_path)
    data = ["--dataset", card, "--data", tmp_path, "-o", tmp_path / "run"]
    result = run("train", *data, *words.split())
    assert result.exit_code == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1 or code == 2
    assert not (tmp_path / "run").exists()
