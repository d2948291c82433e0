"""A list of runs says of each what it learned from and how far it is."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.core.normalize import Normalization
from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError
from geosrseg.networks.presets import configure
from geosrseg.training.run_folder.metrics_table import put_metrics
from geosrseg.training.run_folder.run import Run
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.run_folder.run_list import list_runs
from tests.tiny_datasets import write_dataset


@pytest.fixture
def folder(tmp_path):
    """Runs in every state but running."""
    card = read_card(write_dataset(tmp_path), data=tmp_path)
    network, recipe = configure("slim", protocol="lr", bands=2, classes=2, upscale_factor=4)
    config = RunConfig.of(
        card,
        normalization=Normalization(card.low, card.high, (0.0, 0.0)),
        network=network,
        recipe=recipe,
    )
    runs = tmp_path / "runs"
    for name in ("begun", "deep/finished", "stopped", "lost", "torn"):
        run = Run(runs / name)
        run.create(config)
        for epoch, value in enumerate((0.25, 0.75, 0.5) if name != "begun" else ()):
            put_metrics(run.metrics_table, epoch, {"val/mean_iou": value})
    (runs / "deep/finished/weights.safetensors").touch()
    import torch

    torch.save({}, runs / "stopped/last.ckpt")
    (runs / "lost/last.ckpt").write_bytes(b"half of a checkpoint")
    (runs / "torn/config.json").write_text('{"dataset": ', encoding="utf-8")
    (runs / "other").mkdir()
    (runs / "other/config.json").write_text("{}", encoding="utf-8")  # of another program
    return runs


def test_every_run_has_its_state(folder):
    found = {run.path.removeprefix(f"{folder}{os.sep}"): run for run in list_runs(folder)}
    assert {name: run.state for name, run in found.items()} == {
        "begun": "stopped",
        "deep/finished": "finished",
        "lost": "damaged",
        "stopped": "stopped",
        "torn": "damaged",
    }
    stopped = found["stopped"]
    assert (stopped.dataset, stopped.protocol, stopped.upscale_factor) == ("squares", "lr", 4)
    assert (stopped.done, stopped.epochs, stopped.best) == (3, 16, 0.75)
    assert found["begun"].best is None
    assert "config.json" in found["torn"].problem


def test_a_run_that_a_process_holds_is_running(folder):
    run = Run(folder / "stopped")
    with run.held():
        assert [item.state for item in list_runs(run.path)] == ["running"]
    assert [item.state for item in list_runs(run.path)] == ["stopped"]


def test_the_command_prints_a_table_or_json(folder, tmp_path):
    shutil.rmtree(folder / "torn")
    shown = CliRunner().invoke(main, ["runs", str(folder)])
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:6] == ["run", "state", "epochs", "best", "mean", "IoU"]
    assert lines[-1].split()[:4] == ["stopped", "stopped", "3/16", "0.750"]
    assert lines[-1].endswith("squares  lr 4x, segnet")
    values = json.loads(CliRunner().invoke(main, ["runs", str(folder), "--json"]).stdout)
    assert [value["state"] for value in values] == ["stopped", "finished", "damaged", "stopped"]
    assert CliRunner().invoke(main, ["runs", str(tmp_path / "none")]).exit_code == 1


def test_a_folder_without_runs_has_none(tmp_path):
    assert list_runs(tmp_path) == []
    with pytest.raises(RunError, match="is not a folder"):
        list_runs(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["config.json", "metrics.csv", "last.ckpt", "best.ckpt", "lock"])
def test_a_run_of_a_stranger_is_not_waited_for(folder, name):
    path = folder / "stopped" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert len(list_runs(folder)) >= 4


@pytest.mark.parametrize("table", ["epoch,val/mean_iou\n0,1,2,3\n", "a\n\0\n", "epoch\n²\n"])
def test_a_damaged_table_is_said(folder, table):
    (folder / "stopped" / "metrics.csv").write_text(table)
    states = {run.path.rpartition("/")[2]: run.state for run in list_runs(folder)}
    assert states["stopped"] in ("damaged", "stopped")
    best = Run(folder / "stopped")
    best.best_checkpoint.touch()
    with pytest.raises(RunError, match=r"metrics.csv does not hold metrics"):
        best.validation()


def test_the_folds_of_a_cross_validation_have_one_mean(folder):
    whole = Run(folder / "begun").config()
    for number, best in ((1, 0.5), (2, 0.6), (3, None)):
        run = Run(folder / f"fold{number}")
        own = replace(whole.normalization, fill=(number / 10, 0.5))  # the training part's means
        run.create(replace(whole, fold=(number, 3), normalization=own))
        if best:
            put_metrics(run.metrics_table, 0, {"val/mean_iou": best})
    other = Run(folder / "other-recipe")
    other.create(replace(whole, fold=(1, 3), recipe=replace(whole.recipe, seed=7)))
    shown = CliRunner().invoke(main, ["runs", str(folder)], catch_exceptions=False).stdout
    means = [line for line in shown.splitlines() if line.startswith("3 folds of squares")]
    assert len(means) == 2
    wanted = "0 finished, best mean IoU 0.550 (0.500 to 0.600, standard deviation 0.071)"
    assert any(line.endswith(wanted) for line in means)
    assert "fold 2 of 3" in shown


def test_lightning_is_not_loaded_for_a_list():
    code = "import sys, geosrseg.training.run_folder.run_list; sys.exit('lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
