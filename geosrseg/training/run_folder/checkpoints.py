"""Checkpoints: the best epoch, and the last step to go on from after a kill.

``last.ckpt`` is written after every epoch, and during an epoch that takes long. A run that
resumes from it ends with the same weights and metrics as one that was never stopped:
weights, optimizers, schedule and moving average are in the checkpoint, and everything drawn
at random depends on the seed and a number alone (see `chips` and `JointTraining`).
"""

import math
import os
import time
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from geosrseg.datasets.chips import EpochSampler
from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.pickles import load_pickle
from geosrseg.regular_file import open_regular
from geosrseg.training.joint_training import JointTraining
from geosrseg.training.run_folder.metrics_table import MONITOR, put_metrics
from geosrseg.training.run_folder.run import Run, drafted

EPOCHS = "epochs"
"""Key of the callback's state with the epochs that are done."""

WAITED = "wait_count"
"""Key of Lightning's early stopping: epochs since the best one."""


class Checkpoints(Checkpoint):
    """Writes the checkpoints of a run.

    Args:
        run: where to.
        module: what is trained.
        sampler: told which chips are done when a run resumes within an epoch.
        minutes: between two checkpoints within an epoch.
        validated: whether there is a validation; without it the last epoch is the best.
    """

    def __init__(
        self,
        run: Run,
        module: JointTraining,
        sampler: EpochSampler,
        *,
        minutes: float,
        validated: bool,
    ) -> None:
        self._run = run
        self._module = module
        self._sampler = sampler
        self._seconds = 60 * minutes
        self._validated = validated
        self._written = math.inf
        self._best = -math.inf
        self._is_best = False
        self._epochs = 0  # that are done
        self._batches = 0  # of the current epoch, behind the last checkpoint

    @property
    def best(self) -> float:
        """The best validation so far; minus infinity before the first."""
        return self._best

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "batches": self._batches, EPOCHS: self._epochs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best, self._epochs = state_dict["best"], state_dict.get(EPOCHS, 0)
        self._sampler.skip(state_dict["batches"] * self._run.config().recipe.batch_size)

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._sampler.share(rank=trainer.global_rank, processes=trainer.world_size)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._written = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write a checkpoint if the last one is old, and not in the middle of a step."""
        done = batch_idx + 1
        between_steps = done % trainer.accumulate_grad_batches == 0
        last = done >= trainer.num_training_batches  # the epoch's end writes one anyway
        due = trainer.strategy.broadcast(time.monotonic() - self._written >= self._seconds)
        if due and between_steps and not last:
            self._batches = done
            self._write(trainer, self._run.last_checkpoint)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        value = self._module.epoch_metrics[MONITOR]
        # One process decides for all; where it is no number the epoch is never the best.
        self._is_best = trainer.strategy.broadcast(value > self._best)
        if self._is_best:
            self._best = value

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._batches, self._epochs = 0, trainer.current_epoch + 1
        if trainer.is_global_zero:
            put_metrics(self._run.metrics_table, trainer.current_epoch, self._module.epoch_metrics)
        # Here and not behind the validation, so that a run can go on from the best epoch too.
        if self._is_best or not self._validated:
            self._write(trainer, self._run.best_checkpoint)
        self._write(trainer, self._run.last_checkpoint)

    def _write(self, trainer: L.Trainer, path: Path) -> None:
        trainer.save_checkpoint(path)
        self._written = time.monotonic()


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes under another name, and renames: a file with a checkpoint's name is whole."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        with drafted(Path(path)) as draft, draft.open("wb") as file:
            try:
                torch.save(checkpoint, file)
            except RuntimeError as error:
                # The archive cannot be closed when a write has failed: that is the reason.
                for each in _chain(error):
                    if isinstance(each, OSError):
                        raise OSError(each.errno, each.strerror, str(path)) from None
                raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_whole(path: Path) -> bool:
    """Whether a checkpoint is there and has not been damaged since it was written."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a checkpoint is.

    Attributes:
        epochs: that are done.
        waited: the last of them, in which the validation did not get better.
    """

    epochs: int
    waited: int

    @classmethod
    def of(cls, path: Path) -> "Progress":
        """Read it from a checkpoint.

        Raises:
            RunError: it is no checkpoint of a run.
        """
        callbacks: dict[str, dict[str, Any]] = load_pickle(path).get("callbacks", {})
        epochs, waited = (
            max((int(state.get(key, 0)) for state in callbacks.values()), default=0)
            for key in (EPOCHS, WAITED)
        )
        return cls(epochs, waited)


def find_checkpoint(run: Run) -> Path | None:
    """The checkpoint to resume from; None at the start of a run.

    Warns:
        RunWarning: the last one is damaged or missing: it is the best one.

    Raises:
        RunError: there are some, and all are damaged.
    """
    last, best = run.last_checkpoint, run.best_checkpoint
    if not last.exists() and not best.exists():
        return None
    if is_whole(last):
        return last
    if not is_whole(best):
        raise RunError(f"{last} is damaged, and there is no other: begin again with --overwrite")
    warnings.warn(
        f"{last} is {'damaged' if last.exists() else 'missing'}: the run resumes from {best}, its "
        "best epoch so far",
        RunWarning,
        stacklevel=4,
    )
    return best
