"""Panels: draws some validation windows after every epoch, one PNG per window."""

from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from torch import Tensor

from geosrseg.core.composite import choose_composite
from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.products.quicklook import write_png
from geosrseg.training.run_folder.run import Run
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.validating.evaluation_windows import EvaluationWindow

LARGEST = 512
"""Most HR pixels along each side of a picture."""


class Panels(Callback):
    """Writes LR image, SR image, class map and reference side by side.

    Args:
        count: number of windows, spread evenly over all windows to include every source.
    """

    def __init__(self, run: Run, config: RunConfig, *, count: int) -> None:
        self._run = run
        self._count = count
        self._bands = [config.bands.index(name) for name in choose_composite(config.bands)]
        self._legend = config.legend
        self._factor = config.network.upscale_factor

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: EvaluationWindow,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        total = int(trainer.num_val_batches[dataloader_idx])
        shown = {total * number // self._count for number in range(self._count)}
        if batch_idx not in shown or not trainer.is_global_zero:
            return
        panel = self.draw(batch, sr=outputs["sr"], logits=outputs["logits"])
        self._run.panels.mkdir(exist_ok=True)
        name = f"epoch-{trainer.current_epoch:04}-window-{batch_idx}.png"
        write_png(self._run.panels / name, panel)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(
                    f"window {batch_idx}", panel, trainer.current_epoch, dataformats="HWC"
                )

    def draw(self, window: EvaluationWindow, *, sr: Tensor, logits: Tensor) -> NDArray[np.uint8]:
        """Draw the pictures of a window, from left to right.

        Args:
            sr: (bands, s·H, s·W) of the whole window.
            logits: (classes, s·H, s·W).

        Returns:
            (rows, 4·cols, 3) uint8.
        """
        target = window.target.repeat_interleave(window.label_pixels, 0)
        target = target.repeat_interleave(window.label_pixels, 1)
        shown = _most_counted(target)
        core = shown.outside(window.core)
        lr = window.lr.repeat_interleave(self._factor, 1).repeat_interleave(self._factor, 2)
        images = [self._colour(image[:, core.rows, core.cols]) for image in (lr, sr)]
        labels = logits[:, core.rows, core.cols].argmax(0).numpy().astype(np.uint8)
        reference = target[shown.rows, shown.cols].numpy()
        palette, ids = self._legend.palette(), self._legend.id_table()
        maps = [palette[ids[each]] for each in (labels, reference)]
        maps[1][reference == NODATA] = 0
        return np.concatenate([*images, *maps], axis=1)

    def _colour(self, image: Tensor) -> NDArray[np.uint8]:
        """Convert normalized reflectance to (rows, cols, 3) colours."""
        bands = image[self._bands].clamp(0, 1)
        return (bands * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def _most_counted(target: Tensor) -> Window:
    """Choose the part of a core to show: around the median of the counted pixels."""
    height, width = (min(size, LARGEST) for size in target.shape)
    rows, cols = np.nonzero(target.numpy() != NODATA)
    row, col = (int(np.median(places)) for places in (rows, cols))
    row_off = min(max(row - height // 2, 0), target.shape[0] - height)
    col_off = min(max(col - width // 2, 0), target.shape[1] - width)
    return Window(row_off, col_off, height, width)
