"""ChipLoader: batches of chips, and how long the training waits for them."""

import os
import time
from collections.abc import Iterator
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

MOST_WORKERS = 12
"""Processes that make chips for a GPU: more only take memory."""


class ChipLoader(DataLoader[Any]):
    """A loader that knows how long it was waited for.

    Attributes:
        waited: seconds in which the process that trains had no batch to train on; without
            workers it makes the chips itself in them.
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
    """Measures which share of an epoch's steps goes into waiting for chips, and logs it.

    It is in no table of metrics: there, a run that was stopped and resumed has the rows of one
    that was not.

    Args:
        loader: of the training.

    Attributes:
        share: of the last epoch that has ended; NaN before.
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
        """The steps of the epoch are done; what follows is no part of them."""
        if self._is_training:
            self._is_training = False
            passed = max(time.monotonic() - self._begun, 1e-9)
            self.share = min(self._loader.waited / passed, 1.0)


def choose_workers(place: str, *, devices: int) -> int:
    """Processes that make chips.

    Beside a GPU one for each core that it has: on the CPU they would only take time from the
    network.

    Args:
        place: where it trains, such as ``cuda``.
        devices: processes that train on this machine.
    """
    if place == "cpu":
        return 0
    affinity = getattr(os, "sched_getaffinity", None)  # a container's share of the cores
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores // devices, MOST_WORKERS))
