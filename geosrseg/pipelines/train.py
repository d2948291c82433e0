"""Training: a dataset and a recipe in, a run out."""

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from geosrseg.core.class_offsets import fit_class_offsets
from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.data.card import DatasetCard
from geosrseg.data.chips import ChipConfig, Chips, EpochSampler
from geosrseg.data.evaluation import Evaluation
from geosrseg.data.evaluation_windows import EvaluationWindow, EvaluationWindows
from geosrseg.data.labelled_scene import (
    LabelledScene,
    measure_normalization,
    open_labelled_scenes,
)
from geosrseg.errors import DatasetError, RunError
from geosrseg.models.dbpn import DBPN
from geosrseg.models.framework import EndToEnd, NetworkConfig, build_network
from geosrseg.models.halo import widest_halo, window_multiple
from geosrseg.models.recipe import Recipe
from geosrseg.models.reference_weights import load_dbpn, load_vgg16
from geosrseg.models.segnet import SegNet
from geosrseg.pipelines.joint_training import JointTraining
from geosrseg.pipelines.run import Run, RunConfig

OFFSET_PIXELS = 500_000
"""Validation pixels that the class offsets are fitted on, at the most."""

MONITOR = "val/mean_iou"
"""The epoch with the highest is kept."""


def train(
    card: DatasetCard,
    output: Path,
    *,
    network: NetworkConfig,
    recipe: Recipe,
    init_sr: Path | None = None,
    init_seg: Path | None = None,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Train a network and keep its best weights.

    Args:
        card: the dataset.
        output: the run folder; it is made.
        network: what to train.
        recipe: how.
        init_sr: published D-DBPN weights to begin with, see `reference_weights`.
        init_seg: published VGG16 weights for SegNet's encoder, likewise.
        overwrite: replace an existing run.
        callbacks: further Lightning callbacks, such as a progress bar.

    Raises:
        DatasetError: the data is missing or wrong.
        RunError: the folder holds a run already, the initial weights do not fit, or the
            loss stopped being a number.
    """
    L.seed_everything(recipe.seed, workers=True, verbose=False)
    run = Run(Path(output))
    initial = _initial_network(network, init_sr=init_sr, init_seg=init_seg)
    normalization = measure_normalization(card, native=network.upscale_factor == 1)
    config = RunConfig.of(card, normalization=normalization, network=network, recipe=recipe)
    with open_labelled_scenes(card, normalization=normalization) as scenes, _quiet_lightning():
        # All that the data can be refused for comes before the folder is touched.
        chips = _chip_loader(scenes, config)
        windows = _validation_windows(scenes, config, initial)
        run.create(config, overwrite=overwrite)
        trainer = _trainer(run, config, callbacks)
        module = JointTraining(
            initial, recipe=recipe, classes=network.classes, two_stage=network.two_stage
        )
        with _interruptible(trainer):
            trainer.fit(module, chips, DataLoader(windows, batch_size=None))
        if not math.isfinite(float(trainer.callback_metrics["train/loss"])):
            raise RunError(f"{output}: the loss is no number any more, use smaller learning rates")
        finish_run(run, scenes)
    return run


def finish_run(run: Run, scenes: Sequence[LabelledScene]) -> None:
    """Turn the best checkpoint into the run's result: offsets fitted, metrics measured.

    Args:
        run: a run with its best checkpoint.
        scenes: the open scenes of its dataset.
    """
    config, network = run.config(), run.best_network()
    windows = _validation_windows(scenes, config, network)
    if config.recipe.class_offsets:
        offsets = fit_class_offsets(*_logits_and_reference(network, windows))
        network.shift_logits(torch.from_numpy(offsets))
    done = Evaluation(ConfusionMatrix.empty(config.network.classes))
    for window, sr, logits in _run_windows(network, windows):
        done.add(window, sr=sr, probabilities=logits)
    names = (f"iou_{class_.id}" for class_ in config.legend.classes)
    ious = dict(zip(names, map(float, done.confusion.iou), strict=True))
    run.finish(network, {**done.confusion.metrics(), **ious, "psnr": done.psnr})


def _run_windows(
    network: EndToEnd, windows: EvaluationWindows
) -> Iterator[tuple[EvaluationWindow, Tensor, Tensor]]:
    """Each window with its SR image and logits, (channels, height, width)."""
    for index in range(len(windows)):
        window = windows[index]
        with torch.inference_mode():
            sr, logits = network(window.lr[None])
        yield window, sr[0], logits[0]


def _logits_and_reference(
    network: EndToEnd, windows: EvaluationWindows
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """(classes, pixels) and (pixels,) of a random sample of all counted pixels."""
    generator = np.random.default_rng(0)
    total = sum(int((windows[k].target != NODATA).sum()) for k in range(len(windows)))
    share = min(OFFSET_PIXELS / total, 1.0)
    columns, references = [], []
    for window, _, logits in _run_windows(network, windows):
        target = window.target.numpy().ravel()
        counted = np.flatnonzero(target != NODATA)
        counted = generator.permutation(counted)[: math.ceil(share * len(counted))]
        core = logits[:, window.core.rows, window.core.cols].flatten(1).numpy()
        columns.append(core[:, counted])
        references.append(target[counted])
    return np.concatenate(columns, axis=1), np.concatenate(references)


def _initial_network(
    config: NetworkConfig, *, init_sr: Path | None, init_seg: Path | None
) -> EndToEnd:
    network = build_network(config)
    if init_sr is not None:
        if not isinstance(network.sr, DBPN):
            raise RunError(
                f"{init_sr} cannot begin a network whose SR part is no plain D-DBPN: its last "
                "convolution gives the image, use --sr dbpn and no residual form"
            )
        load_dbpn(network.sr, init_sr, adapt_bands=True)
    if init_seg is not None:
        if not isinstance(network.seg, SegNet):
            raise RunError(f"{init_seg} can begin SegNet's encoder only: use --seg segnet")
        load_vgg16(network.seg, init_seg, adapt_bands=True)
    return network


@contextmanager
def _interruptible(trainer: L.Trainer) -> Iterator[None]:
    """Lightning ends the process on Ctrl-C; a library leaves that to its caller."""
    try:
        yield
    except SystemExit as end:
        if trainer.interrupted:
            raise KeyboardInterrupt from end
        raise


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep back its advice and what it says about the folder that was made for it."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            yield
    finally:
        logger.setLevel(level)


def _chip_loader(
    scenes: Sequence[LabelledScene], config: RunConfig
) -> DataLoader[tuple[Tensor, Tensor, Tensor, Tensor]]:
    recipe = config.recipe
    chips = Chips(
        scenes,
        classes=config.network.classes,
        config=ChipConfig(
            size=recipe.chip_size,
            upscale_factor=config.network.upscale_factor,
            class_power=recipe.class_power,
            jitter=recipe.jitter,
            cutout=recipe.cutout,
            seed=recipe.seed,
        ),
    )
    sampler = EpochSampler(recipe.chips_per_epoch)
    return DataLoader(chips, batch_size=recipe.batch_size, sampler=sampler)


def _validation_windows(
    scenes: Sequence[LabelledScene], config: RunConfig, network: EndToEnd
) -> EvaluationWindows:
    windows = EvaluationWindows(
        scenes,
        split="validation",
        upscale_factor=config.network.upscale_factor,
        multiple=window_multiple(network),
        exact_halo=widest_halo(network),
    )
    if not len(windows):
        raise DatasetError(
            f"no validation pixel of {config.dataset} has a class: the best epoch is chosen on "
            "them, give some scenes or blocks the split validation"
        )
    return windows


def _trainer(run: Run, config: RunConfig, callbacks: Sequence[Callback]) -> L.Trainer:
    recipe = config.recipe
    best = ModelCheckpoint(run.path, "best", monitor=MONITOR, mode="max", save_last=True)
    kept: list[Callback] = [best, *callbacks]
    if recipe.averaging:
        kept.append(EMAWeightAveraging(decay=recipe.averaging))
    return L.Trainer(
        max_epochs=recipe.epochs * (2 if config.network.two_stage else 1),
        precision=recipe.precision,
        accelerator="auto",
        devices=1,
        callbacks=kept,
        logger=CSVLogger(run.path.parent, name=run.path.name, version=""),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )
