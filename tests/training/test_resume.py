"""A run that is stopped, at whatever moment, ends as one that never was."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from safetensors.torch import load_file

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.training.finishing.export import export
from geosrseg.training.machine import arithmetic
from geosrseg.training.run_folder.run import FILES, FOLDERS, Run
from geosrseg.training.surroundings import Surroundings
from geosrseg.training.train import train
from tests.tiny_datasets import write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

# Everything that has a state: dropout, jitter, variations, average, accumulation, schedule,
# offsets.
NETWORK = NetworkConfig(
    protocol="end-to-end",
    bands=2,
    classes=2,
    upscale_factor=4,
    sr_options={"base": 2, "feat": 4, "stages": 2},
    residual=True,
    seg_options={"width": 1 / 16, "dropout": 0.3},
)
RECIPE = Recipe(
    alpha=1,
    beta=1,
    sr_rate=1e-3,
    seg_rate=3e-3,
    schedule="cosine",
    epochs=3,
    chips_per_epoch=22,
    batch_size=2,
    accumulate=2,
    chip_size=32,
    class_power=0,
    jitter=0.05,
    augment={"scale": 1, "noise": 1, "haze": 1, "drop": 1},
    averaging=0.5,
    class_offsets=True,
    precision="fp32",
)


class Stop(Callback):
    """Fails behind some batch, counted over all epochs, as a kill would."""

    def __init__(self, behind):
        self.left = behind

    def on_train_batch_start(self, *_):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("power cut")


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    return read_card(write_dataset(folder), data=folder)


@pytest.fixture(scope="module", params=["end-to-end", "two-stage"])
def whole(request, card, tmp_path_factory):
    """A run that was not stopped."""
    network = replace(NETWORK, protocol=request.param)
    return train(card, tmp_path_factory.mktemp("whole") / "run", network=network, recipe=RECIPE)


def results(run: Run):
    with run.metrics_table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return (
        rows,
        run.validation().metrics,
        {k: v.tolist() for k, v in load_file(run.weights_file).items()},
    )


@pytest.mark.parametrize("stops", [[4], [11], [12], [1, 9, 3]], ids=str)
def test_it_ends_as_if_it_had_not_been_stopped(card, whole, tmp_path, stops):
    """Within an epoch of 11 batches, behind its last one, at the next one's first, often."""
    options = {
        "network": whole.config().network,
        "recipe": RECIPE,
        "surroundings": Surroundings(checkpoint_minutes=0),
    }
    for behind in stops:
        with pytest.raises(RuntimeError, match="power cut"):
            train(card, tmp_path / "run", resume=True, callbacks=[Stop(behind)], **options)
    run = train(card, tmp_path / "run", resume=True, **options)
    assert results(run) == results(whole)


def test_a_finished_run_is_left_alone(card, whole):
    before = whole.weights_file.stat().st_mtime_ns
    train(card, whole.path, network=whole.config().network, recipe=RECIPE, resume=True)
    assert whole.weights_file.stat().st_mtime_ns == before


def test_an_unfinished_end_is_done_again(card, whole, tmp_path):
    result = results(whole)
    whole.weights_file.unlink()
    train(card, whole.path, network=whole.config().network, recipe=RECIPE, resume=True)
    assert results(whole) == result


def test_another_recipe_is_another_run(card, whole):
    other = replace(RECIPE, seed=4)
    with pytest.raises(RunError, match=r"started with seed 0, not 4: .* --overwrite"):
        train(card, whole.path, network=whole.config().network, recipe=other, resume=True)


def test_a_resumed_run_keeps_its_precision(card, whole, monkeypatch):
    """Begun on a CPU without bf16, and continued on one that has it."""
    monkeypatch.setattr(arithmetic, "multiplies_bf16", lambda place: True)
    recipe = replace(RECIPE, precision="auto")
    train(card, whole.path, network=whole.config().network, recipe=recipe, resume=True)
    assert whole.config().recipe.precision == "fp32"


def test_other_data_is_another_run(whole, tmp_path):
    """The same card over an image in which one pixel differs."""
    write_dataset(tmp_path)
    image = tmp_path / "image.tif"
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 1
    image.write_bytes(content)
    other = read_card(tmp_path / "squares.toml", data=tmp_path)
    options = {"network": whole.config().network, "recipe": RECIPE, "resume": True}
    with pytest.raises(RunError, match=r"image.tif changed since it was started"):
        train(other, whole.path, **options)


def epochs_of(run):
    return [row["epoch"] for row in results(run)[0]]


def test_a_run_stopped_by_hand_can_be_exported_ended_and_prolonged(card, tmp_path):
    """Its best epoch so far is the result, until it is trained further."""
    run, recipe = Run(tmp_path / "run"), replace(RECIPE, epochs=9)
    with pytest.raises(RuntimeError, match="power cut"):
        train(card, run.path, network=NETWORK, recipe=recipe, callbacks=[Stop(23)])
    assert not run.finished
    with pytest.warns(RunWarning, match=r"its best epoch so far .* --resume --epochs N"):
        export(run.path, tmp_path / "stopped.onnx")
    assert run.validation().metrics["mean_iou"] > 0

    for epochs, done in ((1, 2), (2, 2), (3, 3)):
        shorter = replace(RECIPE, epochs=epochs)
        train(card, run.path, network=NETWORK, recipe=shorter, resume=True)
        assert run.finished
        assert epochs_of(run) == [*map(str, range(done))]
        assert run.config().recipe.epochs == epochs


def test_a_prolonged_run_goes_on_at_the_rate_of_its_new_schedule(card, tmp_path):
    """At the end of a cosine the rate is zero; the first new step must not have it."""

    class Rates(Callback):
        def __init__(self):
            self.seen = {}

        def on_train_batch_start(self, trainer, *_):
            groups = trainer.optimizers[0].param_groups
            self.seen[trainer.global_step] = [group["lr"] for group in groups]

    cosine, run = replace(RECIPE, schedule="cosine", epochs=2), tmp_path / "run"
    train(card, run, network=NETWORK, recipe=cosine)
    more, rates = replace(cosine, epochs=3), Rates()
    train(card, run, network=NETWORK, recipe=more, resume=True, callbacks=[rates])
    for step, seen in rates.seen.items():
        factor = more.rate_factor(step)
        assert seen == pytest.approx([more.sr_rate * factor, more.seg_rate * factor])
    assert len(rates.seen) > 1


def test_two_stages_keep_their_epochs(card, tmp_path):
    network = replace(NETWORK, protocol="two-stage")
    run, recipe = Run(tmp_path / "run"), replace(RECIPE, epochs=1, chips_per_epoch=4)
    train(card, run.path, network=network, recipe=recipe)
    with pytest.raises(RunError, match="started with epochs 1, not 2"):
        train(card, run.path, network=network, recipe=replace(recipe, epochs=2), resume=True)


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_last_checkpoint_is_answered_with_the_best(card, whole, tmp_path, damage):
    shutil.copytree(whole.path, tmp_path / "run")
    run = Run(tmp_path / "run")
    run.weights_file.unlink()
    content = bytearray(run.last_checkpoint.read_bytes())
    content[len(content) // 2] ^= 255
    if damage == "gone":
        run.last_checkpoint.unlink()
    else:
        run.last_checkpoint.write_bytes(content if damage == "flipped" else content[:1000])
    with pytest.warns(RunWarning, match=r"last.ckpt is \w+: resuming from .*best.ckpt"):
        train(card, run.path, network=whole.config().network, recipe=RECIPE, resume=True)
    assert results(run) == results(whole)


def test_a_folder_is_trained_in_by_one_process(card, whole):
    """Whatever the second one wants: nothing of the first one's is deleted."""
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(whole.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert held.stdout.readline() == b"held\n"
    for options in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(RunError, match="is being trained by another process"):
            train(card, whole.path, network=whole.config().network, recipe=RECIPE, **options)
    held.communicate()
    assert whole.finished
    assert {file.name for file in whole.path.iterdir()} <= {*FILES, *FOLDERS}


HOLD = """
import sys
from pathlib import Path
from geosrseg.training.run_folder.run import Run
with Run(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_damaged_checkpoint_is_one_line(card, whole, tmp_path):
    run = Run(tmp_path / "run")
    run.create(whole.config())
    run.last_checkpoint.write_bytes(b"half a file")
    with pytest.raises(RunError, match=r"last.ckpt is damaged"):
        train(card, run.path, network=whole.config().network, recipe=RECIPE, resume=True)


def test_a_loss_that_is_no_number_leaves_good_checkpoints(card, tmp_path):
    class Spoil(Callback):
        def on_train_epoch_start(self, trainer, module):
            if trainer.current_epoch == 1:
                next(module.network.seg.parameters()).data.fill_(torch.nan)

    run = Run(tmp_path / "run")
    with pytest.raises(RunError, match=r"no longer finite in epoch 1: .* --precision fp32"):
        train(card, run.path, network=NETWORK, recipe=RECIPE, callbacks=[Spoil()])
    assert not run.finished
    states = [torch.load(p, weights_only=True) for p in (run.last_checkpoint, run.best_checkpoint)]
    assert all(w.isfinite().all() for state in states for w in state["state_dict"].values())


def test_a_killed_command_goes_on(tmp_path):
    """SIGKILL at random moments, three times, then to the end."""
    card = write_dataset(tmp_path)
    words = f"train --dataset {card} --data {tmp_path} --preset slim --precision fp32 --epochs 2"
    words += " --chips-per-epoch 12 --batch-size 2 --crop 32 --sr-base 2 --sr-stages 2"
    words += " --seg-width 0.0625 --resume"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "geosrseg", *words.split(), "-o"]
    moments = random.Random(0)
    for _ in range(3):
        process = subprocess.Popen([*command, tmp_path / "run"], env=environment)
        begun = time.monotonic()
        while not (tmp_path / "run" / "config.json").exists() and time.monotonic() - begun < 60:
            time.sleep(0.05)
        time.sleep(moments.uniform(0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    for name in ("run", "whole"):
        subprocess.run([*command, tmp_path / name], env=environment, check=True)
    assert results(Run(tmp_path / "run")) == results(Run(tmp_path / "whole"))
