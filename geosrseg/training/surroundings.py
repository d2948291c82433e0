"""Surroundings: the machine's part of a training: device, workers, loggers and checkpoints.

Surroundings do not affect the weights, so no configuration records them. This module does not
import PyTorch, as the command line builds its options from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from geosrseg.core.option import check_options, option
from geosrseg.errors import RunError

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a training runs, and what it writes besides its weights."""

    device: str = option(
        "Device to train on; auto takes a GPU that works.", "auto", choices=DEVICES
    )
    workers: int | None = option(
        "Extra processes that prepare chips.",
        kind="whole",
        least=0,
        shown="chosen by data and device",
    )
    loggers: str | Sequence[str] = option(
        "Lightning loggers besides TensorBoard: csv, wandb, mlflow, comet.",
        (),
        kind="names",
        name="logger",
        metavar="NAME,...",
    )
    images: int = option(
        "Number of validation windows to draw after every pass.", 0, kind="whole", least=0
    )
    checkpoint_minutes: float = 10.0
    """Minutes between checkpoints within a pass: the most work that a kill can cost."""

    def __post_init__(self) -> None:
        names = self.loggers.split(",") if isinstance(self.loggers, str) else self.loggers or ()
        asked = tuple(name.strip().lower() for name in names if name.strip())
        object.__setattr__(self, "loggers", asked)
        check_options(self, RunError)


USUAL = Surroundings()
