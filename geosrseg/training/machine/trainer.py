"""Trainer: sets up Lightning's trainer for a run's recipe and surroundings."""

from collections.abc import Mapping, Sequence
from typing import Literal

import lightning as L
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback

from geosrseg.errors import RunError
from geosrseg.training.moving_average import moving_average
from geosrseg.training.run_folder.checkpoints import WholeCheckpointIO
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.surroundings import Surroundings

PRECISIONS: Mapping[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
"""Lightning's names of our precisions."""


def make_trainer(
    config: RunConfig, callbacks: Sequence[Callback], surroundings: Surroundings
) -> L.Trainer:
    """Make the trainer of a run, without loggers.

    Raises:
        RunError: the devices or the precision are not available.
    """
    recipe, stages = config.recipe, 2 if config.network.two_stage else 1
    alone = recipe.sr_steps(config.network) > 0
    averaging = [moving_average(recipe.averaging)] if recipe.averaging else []
    # While one part is trained alone, the other has no gradients.
    strategy = "ddp_find_unused_parameters_true" if alone else "ddp"
    try:
        return L.Trainer(
            max_epochs=recipe.epochs * stages,
            precision=PRECISIONS[recipe.precision],
            accelerator=surroundings.device,
            devices=recipe.devices,
            strategy=strategy if recipe.devices > 1 else "auto",
            accumulate_grad_batches=recipe.accumulate,
            gradient_clip_val=recipe.clip or None,
            callbacks=[*averaging, *callbacks],
            plugins=[WholeCheckpointIO()],
            logger=False,  # loggers open files, and the folder does not exist yet
            enable_checkpointing=True,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
    except (MisconfigurationException, ValueError) as error:
        detail = " ".join(str(error).split())
        raise RunError(
            f"--device {surroundings.device} --devices {recipe.devices} with --precision "
            f"{recipe.precision} is not available here: {detail}"
        ) from error
