"""Loggers: opens Lightning's loggers by name for the folder of a run."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import loggers as known_loggers
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from geosrseg.errors import RunError

PACKAGES = {"wandb": "wandb", "mlflow": "mlflow", "comet": "comet_ml", "lit": "litlogger"}
"""Package that each logger requires."""

LOGS = "logs"
"""Folder of a run for the local files of loggers."""


def logger_classes() -> Mapping[str, type[Logger]]:
    """List Lightning's loggers by name: ``WandbLogger`` is ``wandb``."""
    return {
        name.removesuffix("Logger").lower(): getattr(known_loggers, name)
        for name in known_loggers.__all__
        if name.endswith("Logger") and name != "Logger"
    }


def check_loggers(names: Sequence[str]) -> None:
    """Refuse unknown names.

    Raises:
        RunError: there is no such logger.
    """
    known = logger_classes()
    for name in names:
        if name not in known:
            raise RunError(
                f"`loggers` {name}: there is no such logger, expected {', '.join(known)}"
            )


def open_loggers(names: Sequence[str], folder: Path, *, project: str) -> list[Logger]:
    """Open TensorBoard's logger for a run's folder, and further loggers by name.

    Args:
        names: names in lower case.
        project: name of the project at a logging service.

    Raises:
        RunError: a logger's package is not installed, or it cannot start.
    """
    tensorboard: Logger = TensorBoardLogger(folder, name="tensorboard", version="")
    if getattr(rank_zero_only, "rank", 0):  # only the first process logs
        return [tensorboard]
    wanted = dict.fromkeys(name for name in names if name != "tensorboard")
    return [tensorboard, *(_open(name, folder, project) for name in wanted)]


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
