"""Training: `train` turns a dataset and a recipe into a run folder with the best weights."""

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card_domain import measure_domain
from geosrseg.datasets.check.data_check import DataCheck, check_data
from geosrseg.datasets.chips import ChipConfig, Chips, EpochSampler
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.datasets.source_chips import SourceChips
from geosrseg.datasets.source_scene import SourceScene
from geosrseg.errors import DatasetWarning, RunError
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.halo import widest_halo
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.recipe import Recipe
from geosrseg.raster.storage.publication import check_local
from geosrseg.training.batch_check import check_batches
from geosrseg.training.failure import explained
from geosrseg.training.finishing.finish import finish_run
from geosrseg.training.joint_training import JointTraining
from geosrseg.training.machine.allocator import keep_freed_memory
from geosrseg.training.machine.arithmetic import choose_arithmetic
from geosrseg.training.machine.chip_loader import ChipLoader, Waiting, choose_workers
from geosrseg.training.machine.loggers import check_loggers, open_loggers
from geosrseg.training.machine.place import find_place
from geosrseg.training.machine.trainer import make_trainer
from geosrseg.training.manners import interruptible, quiet_lightning
from geosrseg.training.patience import is_done, patience_of
from geosrseg.training.run_folder.checkpoints import Checkpoints, find_checkpoint
from geosrseg.training.run_folder.data_record import DataRecord
from geosrseg.training.run_folder.run import Run
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.starting.freezing import freeze
from geosrseg.training.starting.initial_network import initial_network
from geosrseg.training.starting.start import RANDOM, Start
from geosrseg.training.starting.statistics import CHIPS
from geosrseg.training.surroundings import USUAL, Surroundings
from geosrseg.training.teacher import choose_teacher
from geosrseg.training.validating.evaluation_windows import EvaluationWindows
from geosrseg.training.validating.panels import Panels


def train(
    card: DatasetCard,
    output: Path,
    *,
    network: NetworkConfig,
    recipe: Recipe,
    start: Start = RANDOM,
    teacher: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    on_checked: Callable[[DataCheck], None] = lambda _: None,
    surroundings: Surroundings = USUAL,
) -> Run:
    """Train a network and keep its best weights.

    With several devices Lightning starts this program once per device; only the first process
    writes files.

    Args:
        output: the run folder, created if missing.
        teacher: the run folder of a network trained on native images, see `teacher`.
        resume: continue the interrupted run in the folder. A finished run is kept and a missing
            one is started. A different number of epochs ends the run earlier or later.
        overwrite: replace an existing run.
        callbacks: further Lightning callbacks, such as a progress bar.
        on_checked: called with the result of the data check.
        surroundings: device, workers, loggers and other settings that do not affect the weights.

    Warns:
        DatasetWarning: the data probably contains a mistake, see `check_data`; or there is no
            validation data, so the last epoch is kept.
        RunWarning: the last checkpoint is damaged, so the best one is used; or some of the
            initial weights do not fit, see `initial_network`.

    Raises:
        DatasetError: the data is missing or wrong.
        RunError: the folder already holds a run, or a run with another configuration, or another
            process trains there; the initial weights do not fit; a device is unavailable; the
            loss is no longer finite; or a file can no longer be read or written.
        DeviceMemoryError: memory is exhausted.
    """
    place = find_place(surroundings.device)
    check_loggers(surroundings.loggers)
    keep_freed_memory()
    L.seed_everything(recipe.seed, workers=True, verbose=False)
    check_local(Path(output))
    run = Run(Path(output))
    recipe = _with_arithmetic(recipe, run if resume else None, place)
    begun = initial_network(network, card, start)
    initial, card = begun.network, begun.card
    freeze(initial, start.freeze, config=network, recipe=recipe)
    taught_by = choose_teacher(teacher, card, network=network, recipe=recipe)
    normalization = measure_normalization(card, native=network.upscale_factor == 1)
    initial.calibrate(normalization)
    config = RunConfig.of(
        card,
        normalization=normalization,
        network=network,
        recipe=recipe,
        teacher=taught_by.sha256 if taught_by else "",
        domain=measure_domain(
            card,
            factor=network.upscale_factor,
            chips=_chip_config(network, recipe, card.bands),
            fill=normalization.fill,
            most=recipe.chips_per_epoch,
        ),
        init=begun.files,
        freeze=tuple(start.freeze),
    )
    with (
        open_labelled_scenes(card, normalization=normalization, checked=True) as scenes,
        quiet_lightning(),
    ):
        if int(os.environ.get("LOCAL_RANK", "0")) == 0:  # one process per device
            on_checked(check_data(card, scenes))
        # Every check that can fail comes before the first change to the folder.
        check_batches(initial, recipe)
        chips = _chips(scenes, config, initial)
        windows = _validation_windows(scenes, config, initial)
        sampler = EpochSampler(recipe.chips_per_epoch)
        begun.settle(chips[number][0] for number in range(CHIPS))
        module = JointTraining(
            initial,
            recipe=recipe,
            legend=config.legend,
            sr_steps=recipe.sr_steps(network),
            two_stage=network.two_stage,
            teacher=taught_by,
            class_weights=recipe.weights_of_classes(chips.class_counts),
            frozen=start.freeze,
        )
        checkpoints = Checkpoints(
            run,
            module,
            sampler,
            minutes=surroundings.checkpoint_minutes,
            validated=len(windows) > 0,
        )
        panels = [Panels(run, config, count=surroundings.images)] if surroundings.images else []
        patience = patience_of(recipe, module, windows)
        trainer = make_trainer(config, [checkpoints, *patience, *panels, *callbacks], surroundings)
        with run.held() if trainer.is_global_zero else nullcontext():
            _begin(run, config, card, trainer, resume=resume, overwrite=overwrite)
            trainer.loggers = open_loggers(surroundings.loggers, run.path, project=config.dataset)
            if not run.finished:
                with explained(run):
                    _fit(trainer, module, run, chips, sampler, windows, surroundings.workers)
                    if trainer.is_global_zero:
                        finish_run(run, windows, device=trainer.strategy.root_device)
    return run


def _with_arithmetic(recipe: Recipe, resumed: Run | None, place: str) -> Recipe:
    """Resolve the precision ``auto``; a resumed run keeps the precision it started with."""
    wanted = recipe.precision
    if wanted == "auto" and resumed is not None and resumed.config_file.exists():
        wanted = resumed.config().recipe.precision
    return replace(recipe, precision=choose_arithmetic(wanted, place))


def _begin(
    run: Run,
    config: RunConfig,
    card: DatasetCard,
    trainer: L.Trainer,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Create the folder, or check that it holds the run to resume."""
    if resume and run.config_file.exists():
        run.check_config(config)
        DataRecord.of(card).check(run)
        if trainer.is_global_zero and run.config().recipe != config.recipe:
            run.prolong(config)  # epochs and patience may differ
    elif trainer.is_global_zero:
        run.create(config, overwrite=overwrite)
        DataRecord.of(card).write(run)


def _fit(
    trainer: L.Trainer,
    module: JointTraining,
    run: Run,
    chips: Chips | SourceChips,
    sampler: EpochSampler,
    windows: EvaluationWindows,
    workers: int | None,
) -> None:
    """Train from the start, or from the last checkpoint if there is one."""
    batch_size = run.config().recipe.batch_size
    device = trainer.strategy.root_device.type
    devices = run.config().recipe.devices
    workers = choose_workers(device, devices=devices) if workers is None else workers
    # A separate generator: the loaders must not advance the global one, which dropout uses.
    loader = ChipLoader(
        chips,
        batch_size=batch_size,
        sampler=sampler,
        generator=torch.Generator(),
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device == "cuda",
    )
    validation = DataLoader(windows, batch_size=None, generator=torch.Generator())
    last = find_checkpoint(run)
    if last is not None and is_done(last, run.config().recipe, epochs=trainer.max_epochs or 0):
        return
    trainer.callbacks.insert(0, Waiting(loader))  # type: ignore[attr-defined]
    with interruptible():
        trainer.fit(
            module,
            loader,
            validation if len(windows) else None,
            ckpt_path=last,
            weights_only=True,
        )


def _chip_config(network: NetworkConfig, recipe: Recipe, bands: tuple[str, ...]) -> ChipConfig:
    return ChipConfig(
        size=recipe.chip_size,
        upscale_factor=network.upscale_factor,
        quarter_turns=recipe.quarter_turns,
        class_power=recipe.class_power,
        jitter=recipe.jitter,
        cutout=recipe.cutout,
        augment=recipe.augment,
        bands=bands,
        seed=recipe.seed,
    )


def _chips(
    scenes: Sequence[LabelledScene], config: RunConfig, network: JointNetwork
) -> Chips | SourceChips:
    recipe = config.recipe
    multiple = network.multiple * network.upscale_factor
    if recipe.chip_size % multiple:
        raise RunError(
            f"--crop {recipe.chip_size}: expected a multiple of the networks' {multiple} HR pixels"
        )
    drawn = _chip_config(config.network, recipe, config.bands)
    classes = config.network.classes
    if sourced := [scene for scene in scenes if isinstance(scene, SourceScene)]:
        coarse = next((scene.source_name for scene in sourced if scene.source.is_lr), None)
        if coarse is not None and config.network.two_stage:
            raise RunError(
                f"--protocol two-stage: its segmentation learns from native images, and source "
                f"{coarse} has labels on the LR grid without any: leave it out, or choose "
                "end-to-end"
            )
        return SourceChips(sourced, classes=classes, config=drawn)
    return Chips(scenes, classes=classes, config=drawn)


def _validation_windows(
    scenes: Sequence[LabelledScene], config: RunConfig, network: JointNetwork
) -> EvaluationWindows:
    windows = EvaluationWindows(
        scenes,
        split="validation",
        upscale_factor=config.network.upscale_factor,
        multiple=network.multiple,
        exact_halo=widest_halo(network),
    )
    if not len(windows):
        warnings.warn(
            f"{config.dataset} has no labelled pixel in the split validation, which selects the "
            "best epoch: the last one is kept",
            DatasetWarning,
            stacklevel=3,
        )
    return windows
