"""Patience: ending a run whose validation does not get better."""

import math
import warnings
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping

from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.recipe import Recipe
from geosrseg.training.joint_training import JointTraining
from geosrseg.training.run_folder.checkpoints import Progress
from geosrseg.training.run_folder.metrics_table import MONITOR
from geosrseg.training.validating.evaluation_windows import EvaluationWindows


class Patience(EarlyStopping):
    """Ends a run behind the last of some epochs without a better validation.

    Epochs in which no class is learned, as the SR part is trained alone, do not count.

    Args:
        module: what is trained.
        epochs: how many.
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
        """What has been waited for; how long it may take is what this run says."""
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not math.isnan(self._module.epoch_metrics[MONITOR]):
            super().on_validation_end(trainer, pl_module)


def patience_of(
    recipe: Recipe, module: JointTraining, windows: EvaluationWindows
) -> list[Patience]:
    """The patience that a recipe has, if it has any.

    Raises:
        RunError: there is no validation.
    """
    if not recipe.patience:
        return []
    if not len(windows):
        raise RunError(
            f"`patience` {recipe.patience}: the dataset has no labelled pixel in the split "
            "validation, so no epoch is better than another"
        )
    return [Patience(module, recipe.patience)]


def is_done(checkpoint: Path, recipe: Recipe, *, epochs: int) -> bool:
    """All epochs are done, or more where the run is to end with fewer; or it waited long enough.

    Warns:
        RunWarning: it waited long enough.
    """
    progress = Progress.of(checkpoint)
    if progress.epochs >= epochs:
        return True
    if not 0 < recipe.patience <= progress.waited:
        return False
    warnings.warn(
        f"the run ended after epoch {progress.epochs}, the last of {progress.waited} without a "
        "better validation: a larger `patience` trains on",
        RunWarning,
        stacklevel=4,
    )
    return True
