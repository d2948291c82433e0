"""ChipLoader: loads batches of chips, and measures how long the training waits for them."""

import os
import time
from collections.abc import Iterator
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

MOST_WORKERS = 12
"""Most processes that prepare chips for a GPU; more would only take memory."""


class ChipLoader(DataLoader[Any]):
    """A loader that measures how long the training waits for it.

    Attributes:
        waited: seconds for which the training process had no batch; without workers it prepares
            the chips itself in this time.
    """

    waited = 0.0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        batches = super().__iter__()
        while True:
            begun = time.monotonic()
            try:
                batch = next(batches)
            except StopIteration:
                return
            finally:
                self.waited += time.monotonic() - begun
            yield batch


class Waiting(Callback):
    """Logs the share of an epoch's training time spent waiting for chips.

    The metrics table does not contain it: a resumed run must have the rows of an uninterrupted
    one.

    Attributes:
        share: share in the last finished epoch; NaN before.
    """

    def __init__(self, loader: ChipLoader) -> None:
        self._loader = loader
        self._begun = 0.0
        self._is_training = False
        self.share = float("nan")

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._begun, self._loader.waited, self._is_training = time.monotonic(), 0.0, True

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._end()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._end()
        pl_module.log("train/waiting", self.share)

    def _end(self) -> None:
        """Stop the measurement at the end of the epoch's steps, before its validation."""
        if self._is_training:
            self._is_training = False
            passed = max(time.monotonic() - self._begun, 1e-9)
            self.share = min(self._loader.waited / passed, 1.0)


def choose_workers(place: str, *, devices: int) -> int:
    """Choose the number of processes that prepare chips.

    With a GPU, one for each core per training process. With a CPU none, as they would only take
    time from the network.

    Args:
        place: device that trains, such as ``cuda``.
        devices: number of processes that train on this machine.
    """
    if place == "cpu":
        return 0
    affinity = getattr(os, "sched_getaffinity", None)  # respects a container's share of cores
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores // devices, MOST_WORKERS))
