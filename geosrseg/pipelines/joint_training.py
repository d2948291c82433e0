"""The training as a Lightning module: what one step does and what is measured.

One budget, `Recipe.steps`, for each part. End to end both parts spend it together; in two
stages the SR part spends it alone, is frozen, and then the segmentation part spends it.
"""

import math
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.data.evaluation import Evaluation
from geosrseg.data.evaluation_windows import EvaluationWindow
from geosrseg.models.framework import EndToEnd
from geosrseg.models.losses import JointLoss, reconstruction_loss, segmentation_loss
from geosrseg.models.recipe import Recipe

BETAS = (0.9, 0.999)
"""Adam's; the paper states a momentum of 0.9."""


class JointTraining(L.LightningModule):
    """Trains a network on chips and measures it on evaluation windows.

    Args:
        network: what is trained.
        recipe: how.
        classes: number of classes.
        two_stage: train the parts one after the other.
    """

    def __init__(
        self, network: EndToEnd, *, recipe: Recipe, classes: int, two_stage: bool = False
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.loss = JointLoss(alpha=recipe.alpha, beta=recipe.beta)
        self._recipe = recipe
        self._classes = classes
        self._two_stage = two_stage

    def _reconstructs(self, step: int) -> bool:
        """A step trains the SR part alone: the first of two stages."""
        return self._two_stage and step < self._recipe.steps

    def training_step(
        self, batch: tuple[Tensor, Tensor, Tensor, Tensor], batch_index: int
    ) -> Tensor:
        losses = self._losses(*batch)
        self.log_dict(
            {f"train/{name}": value for name, value in losses.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(batch[0]),
        )
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

    def on_validation_epoch_start(self) -> None:
        self._evaluation = Evaluation(ConfusionMatrix.empty(self._classes))

    def validation_step(self, window: EvaluationWindow, batch_index: int) -> None:
        lr = window.lr[None].to(self.device, memory_format=torch.channels_last)
        if self._reconstructs(self.global_step - 1):
            sr = self.network.sr(lr)
            logits = sr.new_zeros(1, self._classes, *sr.shape[2:])
        else:
            sr, logits = self.network(lr)
        self._evaluation.add(window, sr=sr[0].cpu(), probabilities=logits[0].float().cpu())

    def on_validation_epoch_end(self) -> None:
        done = self._evaluation
        if self._reconstructs(
            self.global_step - 1
        ):  # no class has been learned: such an epoch is never the best
            self.log_dict({"val/mean_iou": math.nan, "val/psnr": done.psnr})
            return
        values = {f"val/{name}": value for name, value in done.confusion.metrics().items()}
        classes = {f"val/iou_{k}": float(iou) for k, iou in enumerate(done.confusion.iou)}
        self.log_dict({**values, **classes, "val/psnr": done.psnr})

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
        )
        schedule = LambdaLR(optimizer, [factor for *_, factor in parts])
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _seg_rate_factor(self, step: int) -> float:
        """The schedule begins anew for the second stage."""
        return self._recipe.rate_factor(max(0, step - self._recipe.steps * self._two_stage))


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
