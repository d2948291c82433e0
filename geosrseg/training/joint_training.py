"""The Lightning module for training: the losses of a step, the optimizer and the validation.

Each part is trained for `Recipe.steps` steps. End to end trains both parts together, except for
an optional warm-up of the SR part. Two-stage trains the SR part, freezes it, and then trains the
segmentation part.

A step depends on earlier steps only through weights, optimizer and moving average: its random
numbers depend on the seed and the step's number. A run can therefore be interrupted anywhere.
"""

import math
from collections.abc import Sequence
from typing import Any, Self, cast

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from geosrseg.core.legend import Legend
from geosrseg.errors import RunError
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.losses import (
    CoarseReference,
    JointLoss,
    SegmentationLoss,
    reconstruction_loss,
)
from geosrseg.networks.recipe import Recipe
from geosrseg.training.starting.freezing import keep_still
from geosrseg.training.teacher import Teacher, soft_label_loss
from geosrseg.training.validating.evaluation_windows import EvaluationWindow
from geosrseg.training.validating.source_scores import SourceScores

BETAS = (0.9, 0.999)
"""Parameters of Adam; the paper states a momentum of 0.9."""

CHECK_EVERY = 50
"""Steps between two checks that the loss is finite; each check waits for the GPU."""

SUMS = "loss_sums"
"""Checkpoint key of the losses summed over the unfinished epoch."""


class JointTraining(L.LightningModule):
    """Trains a network on chips and measures it on evaluation windows.

    Args:
        sr_steps: number of first steps, which train the SR part alone.
        two_stage: freeze the SR part afterwards and train the segmentation on native images.
        class_weights: loss weight of each class; empty for equal weights.
        frozen: names of parts that keep their weights, see `freezing`.

    Attributes:
        epoch_metrics: losses and validation metrics of the current epoch, by name.
    """

    def __init__(
        self,
        network: JointNetwork,
        *,
        recipe: Recipe,
        legend: Legend,
        sr_steps: int = 0,
        two_stage: bool = False,
        teacher: Teacher | None = None,
        class_weights: Sequence[float] = (),
        frozen: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._frozen = frozen
        self.network = network.to(memory_format=torch.channels_last)
        segmentation = SegmentationLoss(
            recipe.loss, class_weights=class_weights, smoothing=recipe.label_smoothing
        )
        self.loss = JointLoss(
            alpha=recipe.alpha,
            beta=recipe.beta,
            gamma=recipe.gamma,
            segmentation=segmentation,
        )
        self._recipe = recipe
        self._legend = legend
        self._sr_steps = sr_steps
        self._two_stage = two_stage
        self._teacher = teacher  # not a submodule: checkpoints must not contain its weights
        self._sums: dict[str, Tensor] = {}  # (sum, count) of each loss in this epoch
        self.epoch_metrics: dict[str, float] = {}
        self.train()

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        keep_still(self.network, self._frozen)
        return self

    def _reconstructs(self, step: int) -> bool:
        """Whether a step trains the SR part alone."""
        return step < self._sr_steps

    def on_fit_start(self) -> None:
        if self._teacher:
            self._teacher.to(self.device)

    def on_train_epoch_start(self) -> None:
        self.epoch_metrics = {}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed dropout from the number of the batch."""
        number = self.current_epoch * int(self.trainer.num_training_batches) + batch_idx
        words = np.random.SeedSequence((self._recipe.seed, number, self.global_rank))
        torch.manual_seed(int(words.generate_state(1, np.uint64)[0]))

    def training_step(self, batch: tuple[Tensor, ...], batch_index: int) -> Tensor:
        try:
            losses = self._losses(*batch)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise RunError(
                f"--batch-size {self._recipe.batch_size}: the network normalizes single values of "
                "a chip over the batch: use 2 or more"
            ) from error
        for name, value in losses.items():
            counted = torch.stack((value.detach(), torch.ones_like(value)))
            before = self._sums.get(name, torch.zeros_like(counted))
            self._sums[name] = before.to(counted.device) + counted
        if (batch_index + 1) % CHECK_EVERY == 0:
            self._check_loss()
        return losses["loss"]

    def _losses(
        self,
        lr: Tensor,
        hr: Tensor,
        target: Tensor,
        trained: Tensor,
        weights: Tensor | None = None,
        *coarse: Tensor,
    ) -> dict[str, Tensor]:
        """Compute the losses of a batch from `Chips`, or from `SourceChips` with `coarse`."""
        if self._reconstructs(self.global_step):
            sr = self.network.super_resolve(_channels_last(lr))
            l1 = reconstruction_loss(sr, hr, trained)
            return self._taught({"loss": l1, "l1": l1}, hr=hr, trained=trained, sr=sr)
        if self._two_stage:
            logits = self.network.segment(_channels_last(hr))
            parts = self.loss.segmentation(logits, target, weights)
            return {"loss": self.loss.segmentation.total(parts), **parts}
        sr, logits = self.network(_channels_last(lr))
        losses: dict[str, Tensor] = self.loss(
            sr,
            logits,
            hr=hr,
            target=target,
            trained=trained,
            weights=weights,
            coarse=CoarseReference(*coarse) if coarse else None,
        )
        return self._taught(losses, hr=hr, trained=trained, sr=sr, logits=logits)

    def _taught(
        self,
        losses: dict[str, Tensor],
        *,
        hr: Tensor,
        trained: Tensor,
        sr: Tensor,
        logits: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Add the losses against the teacher's logits of the native image."""
        recipe, teacher = self._recipe, self._teacher
        if teacher is None:
            return losses
        taught = teacher.teach(_channels_last(hr))
        if recipe.teacher_weight and logits is not None:
            soft = soft_label_loss(logits, taught, trained)
            losses["teacher"] = soft
            losses["loss"] = losses["loss"] + recipe.beta * recipe.teacher_weight * soft
        if recipe.task_weight:
            task = soft_label_loss(teacher.read(_channels_last(sr)), taught, trained)
            losses["task"] = task
            losses["loss"] = losses["loss"] + recipe.beta * recipe.task_weight * task
        return losses

    def _check_loss(self) -> None:
        """Stop before weights that are not finite reach a checkpoint.

        Raises:
            RunError: the loss of a step was not finite.
        """
        if not math.isfinite(float(self._summed()["loss"][0])):
            raise RunError(
                f"the loss is no longer finite in epoch {self.current_epoch}: use smaller "
                "learning rates or --precision fp32; the checkpoints are older and intact"
            )

    def on_train_epoch_end(self) -> None:
        """Log the mean of each loss over the epoch and all processes."""
        self._check_loss()
        means = {f"train/{name}": float(s[0] / s[1]) for name, s in self._summed().items()}
        self.log_dict(means)
        self.epoch_metrics |= means
        self._sums = {}

    def _summed(self) -> dict[str, Tensor]:
        """Add up the sums of all processes."""
        reduce = self.trainer.strategy.reduce
        return {name: reduce(s.clone(), reduce_op="sum") for name, s in self._sums.items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self._sums:
            self._check_loss()
        checkpoint[SUMS] = {name: summed.cpu() for name, summed in self._summed().items()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        share = self.trainer.world_size
        self._sums = {name: summed / share for name, summed in checkpoint[SUMS].items()}

    def on_validation_epoch_start(self) -> None:
        self._scores = SourceScores(self._legend)

    def validation_step(self, window: EvaluationWindow, batch_index: int) -> dict[str, Tensor]:
        """Score one window; return its SR image and logits, on the host, for callbacks."""
        lr = window.lr[None].to(self.device, memory_format=torch.channels_last)
        if self._reconstructs(self.global_step - 1):
            sr = self.network.super_resolve(lr)
            logits = sr.new_zeros(1, len(self._legend), *sr.shape[2:])
        else:
            sr, logits = self.network(lr)
        done = {"sr": sr[0].float().cpu(), "logits": logits[0].float().cpu()}
        self._scores.add(window, sr=done["sr"], logits=done["logits"])
        return done

    def on_validation_epoch_end(self) -> None:
        if self._reconstructs(self.global_step - 1):
            # No class has been learned yet: NaN keeps this epoch from being the best one.
            values = {"mean_iou": math.nan, "psnr": self._scores.psnr}
        else:
            values = self._scores.metrics()
        self.epoch_metrics = {f"val/{name}": value for name, value in values.items()}
        self.log_dict(self.epoch_metrics)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, index: int) -> Any:
        """Leave evaluation windows on the host; `validation_step` moves their LR image."""
        if isinstance(batch, EvaluationWindow):
            return batch
        return super().transfer_batch_to_device(batch, device, index)

    def on_train_start(self) -> None:
        """Set the rates of the schedule: a checkpoint has those of the epochs then planned."""
        schedule = cast("LambdaLR", self.lr_schedulers())
        groups = schedule.optimizer.param_groups
        for group, rate, factor in zip(groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
            group["lr"] = rate * factor(schedule.last_epoch)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Make one Adam with a parameter group per part, as rates and weight decays differ."""
        recipe, network = self._recipe, self.network
        parts = [
            (network.sr_parameters, recipe.sr_rate, recipe.sr_decay, recipe.rate_factor),
            (network.seg_parameters, recipe.seg_rate, recipe.seg_decay, self._seg_rate_factor),
        ]
        parts = [([p for p in part[0] if p.requires_grad], *part[1:]) for part in parts]
        parts = [part for part in parts if part[0]]
        adam = torch.optim.AdamW if recipe.decoupled else torch.optim.Adam
        optimizer = adam(
            [
                {"params": parameters, "lr": rate, "weight_decay": decay}
                for parameters, rate, decay, _ in parts
            ],
            betas=BETAS,
            # A fused optimizer unscales fp16 gradients itself, too late for clipping.
            fused=not (recipe.clip and recipe.precision == "fp16"),
        )
        schedule = LambdaLR(optimizer, [factor for *_, factor in parts])
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _seg_rate_factor(self, step: int) -> float:
        """Restart the schedule for a second stage, but continue it after an SR warm-up."""
        return self._recipe.rate_factor(max(0, step - self._sr_steps * self._two_stage))


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
