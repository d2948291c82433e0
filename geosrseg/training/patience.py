"""Patience: ends a run whose validation no longer improves."""

import math
import warnings
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping

from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.recipe import Recipe
from geosrseg.training.joint_training import JointTraining
from geosrseg.training.run_folder.checkpoints import read_progress
from geosrseg.training.run_folder.metrics_table import MONITOR
from geosrseg.training.validating.evaluation_windows import EvaluationWindows


class Patience(EarlyStopping):
    """Ends a run after this many epochs without a better validation.

    Epochs that train the SR part alone do not count, as they learn no class.
    """

    def __init__(self, module: JointTraining, epochs: int) -> None:
        super().__init__(
            MONITOR,
            patience=epochs,
            mode="max",
            min_delta=0.0,
            check_finite=False,
            check_on_train_epoch_end=False,
        )
        self._module = module

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the epochs waited, but keep this run's own patience."""
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not math.isnan(self._module.epoch_metrics[MONITOR]):
            super().on_validation_end(trainer, pl_module)


def patience_of(
    recipe: Recipe, module: JointTraining, windows: EvaluationWindows
) -> list[Patience]:
    """Return the callback for the recipe's patience; none if the patience is 0.

    Raises:
        RunError: there is no validation data.
    """
    if not recipe.patience:
        return []
    if not len(windows):
        raise RunError(
            f"`patience` {recipe.patience}: the dataset has no labelled pixel in the split "
            "validation, so epochs cannot be compared"
        )
    return [Patience(module, recipe.patience)]


def is_done(checkpoint: Path, recipe: Recipe, *, epochs: int) -> bool:
    """Whether a checkpoint has reached the number of epochs, or its patience is exhausted.

    Warns:
        RunWarning: the patience is exhausted.
    """
    done, waited = read_progress(checkpoint)
    if done >= epochs:
        return True
    if not 0 < recipe.patience <= waited:
        return False
    warnings.warn(
        f"the run ended after epoch {done}, the last of {waited} without a better validation: "
        "raise `patience` to continue it",
        RunWarning,
        stacklevel=4,
    )
    return True
