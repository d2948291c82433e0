"""Surroundings: what a training needs of the machine and is no part of its recipe.

With other surroundings a run learns the same, so they are in no configuration.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import loggers as known_loggers
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from geosrseg.errors import DeviceError, RunError

DEVICES = ("auto", "cpu", "cuda", "mps")

PACKAGES = {"wandb": "wandb", "mlflow": "mlflow", "comet": "comet_ml", "lit": "litlogger"}
"""What has to be installed for a logger."""

LOGS = "logs"
"""Folder of a run for what loggers keep on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Device, processes and logs of a training.

    Attributes:
        device: one of `DEVICES`; ``auto`` is the fastest that is there.
        loggers: names of Lightning's loggers besides TensorBoard, such as ``csv``, ``wandb``
            or ``mlflow``.
        workers: processes that make chips beside this one; None takes what the data and the
            machine suggest.
    """

    device: str = "auto"
    loggers: tuple[str, ...] = ()
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise DeviceError(f"`device` {self.device}: expected one of {', '.join(DEVICES)}")
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if not there.get(self.device, True):
            raise DeviceError(
                f"`device` {self.device}: PyTorch finds none here: leave it out, or install a "
                "PyTorch for it and see its driver"
            )
        for name in self.loggers:
            if name.lower() not in logger_classes():
                known = ", ".join(logger_classes())
                raise RunError(f"`loggers` {name}: there is no such logger, expected {known}")

    @property
    def place(self) -> str:
        """The device that ``auto`` stands for."""
        if self.device != "auto":
            return self.device
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    def open_loggers(self, folder: Path, *, project: str) -> list[Logger]:
        """TensorBoard's logger for a run's folder, and those that are asked for.

        Args:
            folder: of the run.
            project: what a service files the run under.

        Raises:
            RunError: a logger's package is not installed, or it cannot start.
        """
        tensorboard: Logger = TensorBoardLogger(folder, name="tensorboard", version="")
        if getattr(rank_zero_only, "rank", 0):  # of several processes the first one logs
            return [tensorboard]
        wanted = dict.fromkeys(name.lower() for name in self.loggers)
        wanted.pop("tensorboard", None)
        return [tensorboard, *(_open(name, folder, project) for name in wanted)]


def logger_classes() -> Mapping[str, type[Logger]]:
    """Lightning's loggers by name: ``WandbLogger`` is ``wandb``."""
    return {
        name.removesuffix("Logger").lower(): getattr(known_loggers, name)
        for name in known_loggers.__all__
        if name.endswith("Logger") and name != "Logger"
    }


def _open(name: str, folder: Path, project: str) -> Logger:
    kind = logger_classes()[name]
    offered: dict[str, Any] = {
        "save_dir": str(folder / LOGS),
        "name": name if name == "csv" else folder.name,
        "run_name": folder.name,
        "project": project,
        "experiment_name": project,
    }
    taken = inspect.signature(kind.__init__).parameters
    try:
        (folder / LOGS).mkdir(parents=True, exist_ok=True)
        return kind(**{key: value for key, value in offered.items() if key in taken})
    except ImportError as error:
        package = PACKAGES.get(name, name)
        raise RunError(
            f"`loggers` {name}: {package} is not installed: run python -m pip install {package}"
        ) from error
    except Exception as error:  # any error of a service: no login, no network
        reason = " ".join(str(error).split())
        raise RunError(f"`loggers` {name} cannot start ({reason})") from error
