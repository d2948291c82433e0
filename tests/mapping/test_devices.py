"""Tests several devices (here processes on the CPU) started by one command."""

import csv
import os
import subprocess
import sys

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from geosrseg.cli.main import main
from geosrseg.training.run_folder.run import Run
from tests.tiny_datasets import write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def test_two_processes_train_like_one_that_takes_both_their_chips(tmp_path):
    """The networks have no batch normalization: otherwise the arithmetic would differ."""
    card = write_dataset(tmp_path)
    words = f"train --dataset {card} --data {tmp_path} --preset slim --precision fp32 --epochs 2"
    words += " --chips-per-epoch 6 --batch-size 1 --crop 32 --sr espcn --seg unet --averaging 0"
    words += " --seg-width 0.03125 --seg-dropout 0 --no-class-offsets --max-steps 6"
    alone = CliRunner().invoke(
        main, [*words.split(), "--accumulate", "2", "-o", str(tmp_path / "one")]
    )
    assert alone.exit_code == 0, alone.stderr
    together = subprocess.run(
        [
            sys.executable,
            "-m",
            "geosrseg",
            *words.split(),
            "--devices",
            "2",
            "-o",
            tmp_path / "two",
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert together.stdout == f"{tmp_path / 'two'}\n"
    one, two = Run(tmp_path / "one"), Run(tmp_path / "two")
    assert two.config().recipe.devices == 2
    weights = load_file(two.weights_file)
    for key, value in load_file(one.weights_file).items():
        torch.testing.assert_close(weights[key], value, atol=2e-5, rtol=1e-3)
    losses = []
    for run in (one, two):
        with run.metrics_table.open(newline="") as file:
            losses.append([float(row["train/loss"]) for row in csv.DictReader(file)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
