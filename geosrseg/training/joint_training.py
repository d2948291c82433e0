"""The training as a Lightning module: what one step does and what is measured.

One budget, `Recipe.steps`, for each part. End to end both parts spend it together, but for a
warm-up of the SR part; in two stages the SR part spends it alone, is frozen, and then the
segmentation part spends it.

Nothing of a step depends on the steps before it but weights, optimizer and average: what a
step draws at random depends on the seed and its number. So a run can be stopped anywhere.
"""

import math
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.errors import RunError
from geosrseg.networks.framework import EndToEnd
from geosrseg.networks.losses import JointLoss, reconstruction_loss, segmentation_loss
from geosrseg.networks.recipe import Recipe
from geosrseg.training.evaluation_windows import EvaluationWindow
from geosrseg.training.validation_scores import Evaluation

BETAS = (0.9, 0.999)
"""Adam's; the paper states a momentum of 0.9."""

CHECK_EVERY = 50
"""Steps between two looks at whether the loss is still a number: a look waits for the GPU."""

SUMS = "loss_sums"
"""Key of the checkpoint with the losses of the epoch so far."""


class JointTraining(L.LightningModule):
    """Trains a network on chips and measures it on evaluation windows.

    Args:
        network: what is trained.
        recipe: how.
        legend: the classes.
        sr_steps: steps at the beginning that train the SR part alone.
        two_stage: the SR part is frozen then, and the segmentation sees the native image.

    Attributes:
        epoch_metrics: losses and validation of the current epoch, by name.
    """

    def __init__(
        self,
        network: EndToEnd,
        *,
        recipe: Recipe,
        legend: Legend,
        sr_steps: int = 0,
        two_stage: bool = False,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.loss = JointLoss(alpha=recipe.alpha, beta=recipe.beta)
        self._recipe = recipe
        self._legend = legend
        self._sr_steps = sr_steps
        self._two_stage = two_stage
        self._sums: dict[str, Tensor] = {}  # of this epoch: sum and number
        self.epoch_metrics: dict[str, float] = {}

    def _reconstructs(self, step: int) -> bool:
        """A step trains the SR part alone."""
        return step < self._sr_steps

    def on_train_epoch_start(self) -> None:
        self.epoch_metrics = {}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Draw dropout by the number of the batch."""
        number = self.current_epoch * int(self.trainer.num_training_batches) + batch_idx
        words = np.random.SeedSequence((self._recipe.seed, number, self.global_rank))
        torch.manual_seed(int(words.generate_state(1, np.uint64)[0]))

    def training_step(
        self, batch: tuple[Tensor, Tensor, Tensor, Tensor], batch_index: int
    ) -> Tensor:
        try:
            losses = self._losses(*batch)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise RunError(
                f"--batch-size {self._recipe.batch_size}: the network normalizes single values of "
                "a chip over the batch, it needs 2 or more"
            ) from error
        for name, value in losses.items():
            counted = torch.stack((value.detach(), torch.ones_like(value)))
            before = self._sums.get(name, torch.zeros_like(counted))
            self._sums[name] = before.to(counted.device) + counted
        if (batch_index + 1) % CHECK_EVERY == 0:
            self._check_loss()
        return losses["loss"]

    def _losses(self, lr: Tensor, hr: Tensor, target: Tensor, trained: Tensor) -> dict[str, Tensor]:
        if self._reconstructs(self.global_step):
            l1 = reconstruction_loss(self.network.sr(_channels_last(lr)), hr, trained)
            return {"loss": l1, "l1": l1}
        if self._two_stage:
            ce = segmentation_loss(self.network.seg(_channels_last(hr)), target)
            return {"loss": ce, "ce": ce}
        sr, logits = self.network(_channels_last(lr))
        loss, l1, ce = self.loss(sr, logits, hr=hr, target=target, trained=trained)
        return {"loss": loss, "l1": l1, "ce": ce}

    def _check_loss(self) -> None:
        """Stop before weights that are no numbers reach a checkpoint.

        Raises:
            RunError: the loss of some step was no number.
        """
        if not math.isfinite(float(self._summed()["loss"][0])):
            raise RunError(
                f"the loss is no number any more in epoch {self.current_epoch}: use smaller "
                "learning rates or --precision fp32; the checkpoints are from before"
            )

    def on_train_epoch_end(self) -> None:
        """Log the mean of each loss over the epoch, of all processes."""
        self._check_loss()
        means = {f"train/{name}": float(s[0] / s[1]) for name, s in self._summed().items()}
        self.log_dict(means)
        self.epoch_metrics |= means
        self._sums = {}

    def _summed(self) -> dict[str, Tensor]:
        """The sums of all processes."""
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
        self._evaluation = Evaluation(ConfusionMatrix.empty(len(self._legend)))

    def validation_step(self, window: EvaluationWindow, batch_index: int) -> dict[str, Tensor]:
        """Measure one window; its SR image and logits are for callbacks, on the host."""
        lr = window.lr[None].to(self.device, memory_format=torch.channels_last)
        if self._reconstructs(self.global_step - 1):
            sr = self.network.sr(lr)
            logits = sr.new_zeros(1, len(self._legend), *sr.shape[2:])
        else:
            sr, logits = self.network(lr)
        done = {"sr": sr[0].float().cpu(), "logits": logits[0].float().cpu()}
        self._evaluation.add(window, sr=done["sr"], probabilities=done["logits"])
        return done

    def on_validation_epoch_end(self) -> None:
        done = self._evaluation
        if self._reconstructs(self.global_step - 1):
            # no class has been learned: such an epoch is never the best
            values = {"mean_iou": math.nan, "psnr": done.psnr}
        else:
            values = metrics_of(done, self._legend)
        self.epoch_metrics = {f"val/{name}": value for name, value in values.items()}
        self.log_dict(self.epoch_metrics)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, index: int) -> Any:
        """Evaluation windows stay on the host: only their LR image is moved, when it runs."""
        if isinstance(batch, EvaluationWindow):
            return batch
        return super().transfer_batch_to_device(batch, device, index)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """One Adam with a group for each part: their rates and weight decays differ."""
        recipe = self._recipe
        parts = [
            (self.network.sr, recipe.sr_rate, recipe.sr_decay, recipe.rate_factor),
            (self.network.seg, recipe.seg_rate, recipe.seg_decay, self._seg_rate_factor),
        ]
        parts = [part for part in parts if any(True for _ in part[0].parameters())]
        adam = torch.optim.AdamW if recipe.decoupled else torch.optim.Adam
        optimizer = adam(
            [
                {"params": list(part.parameters()), "lr": rate, "weight_decay": decay}
                for part, rate, decay, _ in parts
            ],
            betas=BETAS,
            fused=True,
        )
        schedule = LambdaLR(optimizer, [factor for *_, factor in parts])
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _seg_rate_factor(self, step: int) -> float:
        """A second stage has the schedule from its start; after a warm-up it goes on."""
        return self._recipe.rate_factor(max(0, step - self._sr_steps * self._two_stage))


def metrics_of(done: Evaluation, legend: Legend) -> dict[str, float]:
    """All that an evaluation measured: ``mean_iou``, ``iou_<class id>``, ``psnr``, ..."""
    ious = zip(legend.ids, done.confusion.iou, strict=True)
    per_class = {f"iou_{number}": float(iou) for number, iou in ious}
    return {**done.confusion.metrics(), **per_class, "psnr": done.psnr}


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
