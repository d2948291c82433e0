"""Surroundings: what a training needs of the machine and is no part of its recipe.

With other surroundings a run learns the same, so they are in no configuration. This module loads
no PyTorch, as the command line makes its options from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from geosrseg.core.option import check_options, option
from geosrseg.errors import RunError

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a training runs, and what it leaves behind besides its weights."""

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
    """Between checkpoints within a pass: what a kill can cost."""

    def __post_init__(self) -> None:
        names = self.loggers.split(",") if isinstance(self.loggers, str) else self.loggers or ()
        asked = tuple(name.strip().lower() for name in names if name.strip())
        object.__setattr__(self, "loggers", asked)
        check_options(self, RunError)


USUAL = Surroundings()
