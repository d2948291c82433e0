"""Device and logs of a training, which are no part of what a run is."""

import csv
import sys

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import DeviceError, RunError
from geosrseg.networks.presets import configure
from geosrseg.training.surroundings import Surroundings
from geosrseg.training.train import train
from tests.tiny_datasets import write_dataset


def test_a_run_logs_to_all_that_is_asked_for(tmp_path):
    card = read_card(write_dataset(tmp_path), data=tmp_path)
    small = {"epochs": 2, "chips_per_epoch": 2, "batch_size": 2, "chip_size": 32, "sr": "espcn"}
    network, recipe = configure(
        "slim", protocol="end-to-end", bands=2, classes=2, upscale_factor=2,
        replaced=small | {"seg_width": 0.0625, "precision": "fp32", "averaging": 0.0},
    )  # fmt: skip
    around = Surroundings(device="cpu", loggers=("csv",), workers=0)
    run = train(card, tmp_path / "run", network=network, recipe=recipe, surroundings=around)
    (table,) = (run.path / "logs").rglob("metrics.csv")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(bool(row["val/mean_iou"]) for row in rows) == 2
    assert list((run.path / "tensorboard").iterdir())
    run.remove()  # the logs are a part of the run
    assert not run.path.exists()


def test_loggers_by_name_and_tensorboard_once(tmp_path):
    found = Surroundings(loggers=("CSV", "tensorboard", "csv")).open_loggers(tmp_path, project="p")
    assert list(map(type, found)) == [TensorBoardLogger, CSVLogger]


def test_a_logger_that_is_not_installed_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr("lightning.pytorch.loggers.wandb._WANDB_AVAILABLE", False)
    with pytest.raises(RunError, match=r"`loggers` wandb: wandb is not installed: run .* wandb"):
        Surroundings(loggers=("wandb",)).open_loggers(tmp_path, project="p")


def test_a_device_that_is_not_there_is_one_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert Surroundings(device="cpu").place == "cpu"
    with pytest.raises(DeviceError, match="`device` cuda: PyTorch finds none here"):
        Surroundings(device="cuda")
    with pytest.raises(DeviceError, match="`device` tpu: expected one of auto, cpu, cuda, mps"):
        Surroundings(device="tpu")
