"""The progress of ``train`` and ``reproduce``: a line per epoch, and a bar on a terminal.

All output goes to standard error.
"""

import math
import sys
import time
from typing import Any

import click
import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm

from geosrseg.cli.terminal.progress import bar_place
from geosrseg.cli.terminal.sizes import duration
from geosrseg.core.text.counted import counted
from geosrseg.training.joint_training import JointTraining
from geosrseg.training.machine.chip_loader import Waiting
from geosrseg.training.machine.trainer import PRECISIONS
from geosrseg.training.run_folder.checkpoints import Checkpoints
from geosrseg.training.run_folder.metrics_table import MONITOR

FIRST_ESTIMATE = 10.0
"""Seconds of training before the first estimate."""

FIRST_STEPS = 3
"""Steps of training before the first estimate."""

LONG = 24 * 3600.0
"""Seconds above which the estimate suggests how to shorten the training."""

REFRESH = 0.5
"""Seconds between two reads of the loss: a read waits for the GPU."""

NOTABLE = 0.05
"""Share of the time spent waiting for data from which it is reported."""

SLOW_DATA = 0.2
"""Share of the time spent waiting for data from which a remedy is suggested, once."""

BAR = "{desc} {percentage:3.0f}%|{bar}| step {n_fmt}/{total_fmt}{postfix}"


class TrainingProgress(Callback):
    """Prints the progress of a training.

    Args:
        shorter: options to suggest if the training takes longer than a day.
    """

    def __init__(self, *, shorter: str) -> None:
        self._shorter = shorter
        self._bar: tqdm | None = None
        self._first = self._steps = 0  # steps before this session, and of the whole training
        self._estimated = self._advised = False
        self._measured_from = (0.0, 0)  # time, and steps done at that time
        self._shown = -math.inf

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self._start_clock(trainer)
        self._say(_plan(trainer))
        self._first, self._steps = trainer.global_step, int(trainer.estimated_stepping_batches)
        self._bar = tqdm(
            total=self._steps,
            initial=self._first,
            desc="epoch 1",
            bar_format=BAR,
            leave=False,
            **bar_place(),
        )

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._report_epoch(trainer, pl_module)  # the one before
        self._describe(trainer, "")

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._bar is None:
            return
        if trainer.global_step == self._first + 1 and not self._estimated:
            self._start_clock(trainer)  # the first step prepares what the others reuse
        self._estimate(trainer)
        if not self._bar.disable and time.monotonic() - self._shown >= REFRESH:
            self._shown = time.monotonic()
            self._bar.set_postfix_str(self._figures(trainer, outputs), refresh=False)
            self._bar.n = trainer.global_step
            self._bar.refresh()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._bar is not None:
            self._bar.n = trainer.global_step
            self._bar.set_postfix_str("", refresh=False)
        self._describe(trainer, ", validation")

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._report_epoch(trainer, pl_module)
        patience = trainer.early_stopping_callback
        if self._bar is not None and patience and patience.stopped_epoch:
            self._say(f"no better validation in {counted(patience.wait_count, 'epoch')}: stopped")
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _start_clock(self, trainer: L.Trainer) -> None:
        self._measured_from = (time.monotonic(), trainer.global_step)

    def _seconds_left(self, trainer: L.Trainer) -> float:
        """Seconds until the last step, estimated from the steps so far; NaN before the second."""
        start, first = self._measured_from
        done = trainer.global_step - first
        left = self._steps - trainer.global_step
        return (time.monotonic() - start) / done * left if done else math.nan

    def _estimate(self, trainer: L.Trainer) -> None:
        """Print once, after the first steps, how long the training will take."""
        start, first = self._measured_from
        elapsed, steps = time.monotonic() - start, trainer.global_step - first
        if self._estimated or steps < FIRST_STEPS or elapsed < FIRST_ESTIMATE:
            return
        self._estimated = True
        left = self._seconds_left(trainer)
        text = f"{elapsed / steps:.2g} s per step: about {duration(left)} left, without validation"
        if left > LONG:
            hour = max(1, round(3600 * steps / elapsed))
            text += f". Faster: {self._shorter}--max-steps {hour} (an hour), or a smaller --crop"
        self._say(text)

    def _report_epoch(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Print a line about the epoch that has just ended, if any."""
        if self._bar is None or not isinstance(pl_module, JointTraining):
            return
        metrics = pl_module.epoch_metrics
        if "train/loss" not in metrics:
            return
        ended = trainer.current_epoch if trainer.current_epoch else 1
        words = [f"epoch {ended}/{trainer.max_epochs}", f"loss {metrics['train/loss']:.4g}"]
        if math.isfinite(metrics.get(MONITOR, math.nan)):
            words.append(f"validation mean IoU {metrics[MONITOR]:.3f}")
        elif "val/psnr" in metrics:
            words.append(f"validation PSNR {metrics['val/psnr']:.2f} dB")
        if best := _best(trainer):
            words.append(best)
        waiting = _waiting(trainer)
        if waiting >= NOTABLE:
            words.append(f"waited for data {waiting:.0%}")
        if trainer.global_step < self._steps:
            words.append(f"{duration(self._seconds_left(trainer))} left")
        self._estimated = True
        self._say(f"{time.strftime('%H:%M:%S')} {', '.join(words)}")
        on_gpu = trainer.strategy.root_device.type != "cpu"
        if on_gpu and waiting >= SLOW_DATA and not self._advised:
            self._advised = True
            self._say("the GPU waits for data: use more --workers, or a smaller --crop")

    def _describe(self, trainer: L.Trainer, doing: str) -> None:
        if self._bar is not None:
            epoch = trainer.current_epoch + 1
            self._bar.set_description_str(f"epoch {epoch}/{trainer.max_epochs}{doing}")

    def _figures(self, trainer: L.Trainer, outputs: Any) -> str:
        rate = trainer.optimizers[0].param_groups[-1]["lr"]
        figures = [f"loss {float(outputs['loss']):.4g}", f"rate {rate:.1e}"]
        left = self._seconds_left(trainer)
        figures += [f"{duration(left)} left"] if math.isfinite(left) else []
        return ", ".join([*figures, *filter(None, [_best(trainer)])])

    def _say(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        with tqdm.external_write_mode(file=sys.stderr):
            click.echo(text, err=True)


def _plan(trainer: L.Trainer) -> str:
    """Device, precision and steps in one line."""
    device = trainer.strategy.root_device
    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    else:
        where = f"{device.type}, {counted(torch.get_num_threads(), 'thread')}"
    if trainer.world_size > 1:
        where = f"{trainer.world_size} x {where}"
    steps, done = int(trainer.estimated_stepping_batches), trainer.global_step
    so_far = f", {done} of them done" if done else ""
    precision = next(ours for ours, theirs in PRECISIONS.items() if theirs == trainer.precision)
    work = f"{counted(trainer.max_epochs or 0, 'epoch')}, {counted(steps, 'step')}{so_far}"
    return f"training on {where}, {precision}: {work}"


def _waiting(trainer: L.Trainer) -> float:
    """Share of the last epoch's time spent waiting for chips."""
    found = (each for each in trainer.callbacks if isinstance(each, Waiting))  # type: ignore[attr-defined]
    return next((each.share for each in found), math.nan)


def _best(trainer: L.Trainer) -> str:
    """The best validation so far, as text; empty before the first."""
    checkpoints = trainer.checkpoint_callback
    if not isinstance(checkpoints, Checkpoints) or not math.isfinite(checkpoints.best):
        return ""
    return f"best {checkpoints.best:.3f}"
