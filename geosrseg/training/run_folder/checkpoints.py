"""Checkpoints: the best epoch, and the last state, from which an interrupted run resumes.

``last.ckpt`` is written after every epoch, and at intervals during a long one. A run resumed
from it ends with the same weights and metrics as an uninterrupted one: the checkpoint holds
weights, optimizers, schedule and moving average, and all random numbers depend only on the seed
and a count (see `chips` and `JointTraining`).
"""

import math
import os
import time
import warnings
import zipfile
import zlib
from collections.abc import Iterator
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
from geosrseg.training.run_folder.draft import drafted
from geosrseg.training.run_folder.metrics_table import MONITOR, put_metrics
from geosrseg.training.run_folder.run import Run

EPOCHS = "epochs"
"""Key of the number of finished epochs in the state of `Checkpoints`."""

WAITED = "wait_count"
"""Key of the epochs since the best one in the state of Lightning's early stopping."""


class Checkpoints(Checkpoint):
    """Writes the checkpoints of a run.

    Args:
        sampler: skips the finished chips when a run resumes within an epoch.
        minutes: interval between two checkpoints within an epoch.
        validated: whether there is validation data; without it the last epoch is the best.
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
        self._epochs = 0  # number finished
        self._batches = 0  # number of the current epoch at the last checkpoint

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
        """Write a checkpoint if the last one is old enough, and only between optimizer steps."""
        done = batch_idx + 1
        between_steps = done % trainer.accumulate_grad_batches == 0
        last = done >= trainer.num_training_batches  # the end of the epoch writes one
        due = trainer.strategy.broadcast(time.monotonic() - self._written >= self._seconds)
        if due and between_steps and not last:
            self._batches = done
            self._write(trainer, self._run.last_checkpoint)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        value = self._module.epoch_metrics[MONITOR]
        # The first process decides for all. A NaN compares false: never the best epoch.
        self._is_best = trainer.strategy.broadcast(value > self._best)
        if self._is_best:
            self._best = value

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._batches, self._epochs = 0, trainer.current_epoch + 1
        if trainer.is_global_zero:
            put_metrics(self._run.metrics_table, trainer.current_epoch, self._module.epoch_metrics)
        # Here and not after the validation, so that a run can resume from the best epoch too.
        if self._is_best or not self._validated:
            self._write(trainer, self._run.best_checkpoint)
        self._write(trainer, self._run.last_checkpoint)

    def _write(self, trainer: L.Trainer, path: Path) -> None:
        trainer.save_checkpoint(path)
        self._written = time.monotonic()


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes under a temporary name, then renames: a file with a final name is complete."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        with drafted(Path(path)) as draft, draft.open("wb") as file:
            try:
                torch.save(checkpoint, file)
            except RuntimeError as error:
                # A failed write keeps the archive from closing: report that cause instead.
                for each in _chain(error):
                    if isinstance(each, OSError):
                        raise OSError(each.errno, each.strerror, str(path)) from None
                raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_whole(path: Path) -> bool:
    """Whether a checkpoint exists and is undamaged."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return False


def read_progress(path: Path) -> tuple[int, int]:
    """Read from a checkpoint the finished epochs, and how many of them followed the best one."""
    callbacks: dict[str, dict[str, Any]] = load_pickle(path).get("callbacks", {})
    epochs, waited = (
        max((int(state.get(key, 0)) for state in callbacks.values()), default=0)
        for key in (EPOCHS, WAITED)
    )
    return epochs, waited


def find_checkpoint(run: Run) -> Path | None:
    """Find the checkpoint to resume from; None if the run has none yet.

    Warns:
        RunWarning: the last checkpoint is damaged or missing, so the best one is returned.

    Raises:
        RunError: all checkpoints are damaged.
    """
    last, best = run.last_checkpoint, run.best_checkpoint
    if not last.exists() and not best.exists():
        return None
    if is_whole(last):
        return last
    if not is_whole(best):
        raise RunError(
            f"{last} is damaged, and there is no other checkpoint: start again with --overwrite"
        )
    warnings.warn(
        f"{last} is {'damaged' if last.exists() else 'missing'}: resuming from {best}, the best "
        "epoch so far",
        RunWarning,
        stacklevel=4,
    )
    return best
