"""The joint training as a Lightning module: what one step does and what is measured."""

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
from geosrseg.models.losses import JointLoss
from geosrseg.models.recipe import Recipe

BETAS = (0.9, 0.999)
"""Adam's; the paper states a momentum of 0.9."""


class JointTraining(L.LightningModule):
    """Trains a network on chips and measures it on evaluation windows.

    Args:
        network: what is trained.
        recipe: how.
        classes: number of classes.
    """

    def __init__(self, network: EndToEnd, *, recipe: Recipe, classes: int) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.loss = JointLoss(alpha=recipe.alpha, beta=recipe.beta)
        self._recipe = recipe
        self._classes = classes

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_index: int) -> Tensor:
        lr, hr, target = batch
        sr, logits = self.network(lr.contiguous(memory_format=torch.channels_last))
        loss, l1, ce = self.loss(sr, logits, hr=hr, target=target)
        values = {"train/loss": loss, "train/l1": l1, "train/ce": ce}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=lr.shape[0])
        return loss

    def on_validation_epoch_start(self) -> None:
        self._evaluation = Evaluation(ConfusionMatrix.empty(self._classes))

    def validation_step(self, window: EvaluationWindow, batch_index: int) -> None:
        lr = window.lr[None].to(self.device, memory_format=torch.channels_last)
        sr, logits = self.network(lr)
        self._evaluation.add(window, sr=sr[0].cpu(), probabilities=logits[0].float().cpu())

    def on_validation_epoch_end(self) -> None:
        done = self._evaluation
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
        parts = (
            (self.network.sr, recipe.sr_rate, recipe.sr_decay),
            (self.network.seg, recipe.seg_rate, recipe.seg_decay),
        )
        groups = [
            {"params": list(part.parameters()), "lr": rate, "weight_decay": decay}
            for part, rate, decay in parts
            if any(True for _ in part.parameters())
        ]
        adam = torch.optim.AdamW if recipe.decoupled else torch.optim.Adam
        optimizer = adam(groups, betas=BETAS)
        schedule = LambdaLR(optimizer, recipe.rate_factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
