"""Lightning's loggers by name."""

import sys

import pytest
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from geosrseg.errors import RunError
from geosrseg.training.machine.loggers import check_loggers, open_loggers


def test_loggers_by_name_and_tensorboard_once(tmp_path):
    found = open_loggers(["csv", "tensorboard", "csv"], tmp_path, project="p")
    assert list(map(type, found)) == [TensorBoardLogger, CSVLogger]


def test_a_logger_that_is_not_installed_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setattr("lightning.pytorch.loggers.wandb._WANDB_AVAILABLE", False)
    with pytest.raises(RunError, match=r"`loggers` wandb: wandb is not installed: run .* wandb"):
        open_loggers(["wandb"], tmp_path, project="p")


def test_a_name_that_no_logger_has():
    with pytest.raises(RunError, match="`loggers` paper: there is no such logger, expected "):
        check_loggers(["csv", "paper"])
