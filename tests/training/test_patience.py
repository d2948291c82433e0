"""A run ends when its validation does not get better, and resumes as if it had not been stopped."""

from dataclasses import replace

import pytest
import torch
from lightning.pytorch.callbacks import Callback

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.training.run_folder.checkpoints import read_progress
from geosrseg.training.run_folder.metrics_table import MONITOR
from geosrseg.training.run_folder.run import Run
from geosrseg.training.train import train
from tests.tiny_datasets import write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

NETWORK = NetworkConfig(
    protocol="lr",
    bands=2,
    classes=2,
    upscale_factor=2,
    seg="unet",
    seg_options={"width": 1 / 32},
)
RECIPE = Recipe(
    seg_rate=0,  # so no epoch is better than the first
    epochs=9,
    chips_per_epoch=2,
    batch_size=1,
    chip_size=32,
    patience=2,
    precision="fp32",
)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    return read_card(write_dataset(folder), data=folder)


def epochs_of(run):
    return len(run.metrics_table.read_text().splitlines()) - 1


def test_it_ends_behind_the_epochs_that_it_waits(card, tmp_path):
    run = train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE)
    assert run.finished
    assert epochs_of(run) == 3
    assert read_progress(run.last_checkpoint) == (3, 2)


class Stop(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 2:
            raise RuntimeError("power cut")


def test_stopped_it_remembers_how_long_it_waited(card, tmp_path):
    with pytest.raises(RuntimeError, match="power cut"):
        train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, callbacks=[Stop()])
    run = train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, resume=True)
    assert epochs_of(run) == 3


def test_killed_before_its_end_it_trains_no_further(card, tmp_path):
    run = train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE)
    run.weights_file.unlink()
    with pytest.warns(RunWarning, match=r"after epoch 3, the last of 2 .* raise `patience`"):
        train(card, run.path, network=NETWORK, recipe=RECIPE, resume=True)
    assert run.finished
    assert epochs_of(run) == 3


def test_a_larger_patience_trains_on(card, tmp_path):
    run = train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE)
    longer = replace(RECIPE, patience=4)
    train(card, run.path, network=NETWORK, recipe=longer, resume=True)
    assert run.finished
    assert epochs_of(run) == 5
    assert run.config().recipe.patience == 4


def test_epochs_that_train_the_sr_part_alone_do_not_count(card, tmp_path):
    network = replace(NETWORK, protocol="end-to-end", sr="espcn")
    recipe = replace(RECIPE, sr_rate=0, sr_warm_up=4, patience=1)
    run = train(card, tmp_path / "run", network=network, recipe=recipe)
    assert epochs_of(run) == 6  # of the two that learn classes the second is no better


def test_without_validation_it_is_refused(card, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    path = write_dataset(folder)
    path.write_text(path.read_text().replace('split = "split.tif"', 'split = "train"'))
    alone = read_card(path, data=folder)
    with pytest.raises(RunError, match="no labelled pixel in the split validation"):
        train(alone, tmp_path / "run", network=NETWORK, recipe=RECIPE)
    assert not (tmp_path / "run").exists()


class Watch(Callback):
    """The norm of each step's gradient as the optimizer gets it, and the rate of the step."""

    def __init__(self):
        self.norms, self.rates = [], []

    def on_before_zero_grad(self, trainer, module, optimizer):
        grads = [p.grad.flatten() for p in module.parameters() if p.grad is not None]
        if grads:
            self.norms.append(float(torch.cat(grads).norm()))

    def on_train_batch_start(self, trainer, module, *_):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def test_gradients_are_clipped_and_rates_rise(card, tmp_path):
    recipe = replace(RECIPE, seg_rate=1e-3, epochs=3, patience=0, warm_up=4)
    seen = {}
    for clip in (0.0, 0.01):
        watch = Watch()
        train(
            card,
            tmp_path / str(clip),
            network=NETWORK,
            recipe=replace(recipe, clip=clip),
            callbacks=[watch],
        )
        seen[clip] = watch
    assert max(seen[0.0].norms) > 0.1
    assert max(seen[0.01].norms) == pytest.approx(0.01, rel=1e-3)
    expected = [
        1e-3 * rise / 10 ** (step >= 3) for step, rise in enumerate((0.25, 0.5, 0.75, 1, 1, 1))
    ]
    assert seen[0.01].rates == pytest.approx(expected)


def test_the_best_epoch_is_the_first(card, tmp_path):
    """With rates of zero all are alike, and the first of them is kept."""
    run = Run(tmp_path / "run")
    train(card, run.path, network=NETWORK, recipe=RECIPE)
    assert read_progress(run.best_checkpoint)[0] == 1
    assert MONITOR in run.metrics_table.read_text()
