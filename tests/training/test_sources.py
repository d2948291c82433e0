"""Training on several sources: the third term, validation on both grids, resuming."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from safetensors.torch import load_file

from geosrseg.core.legend import NODATA, Legend, LegendClass
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.training.finishing.pixel_sample import PixelSample
from geosrseg.training.surroundings import Surroundings
from geosrseg.training.train import train
from geosrseg.training.validating.evaluation_windows import EvaluationWindow
from geosrseg.training.validating.source_scores import SourceScores
from tests.tiny_sources import FACTOR, write_sources

LEGEND = Legend((LegendClass(1, "dark", "#222222"), LegendClass(2, "bright", "#eeeeee")))
NETWORK = NetworkConfig(
    protocol="end-to-end",
    bands=2,
    classes=2,
    upscale_factor=FACTOR,
    sr="espcn",
    seg="unet",
    residual=True,
    seg_options={"width": 1 / 16},
)
RECIPE = Recipe(
    alpha=1,
    beta=1,
    gamma=1,
    sr_rate=1e-3,
    seg_rate=1e-2,
    schedule="cosine",
    epochs=2,
    chips_per_epoch=24,
    batch_size=4,
    chip_size=96,
    class_power=0.5,
    jitter=0.02,
    averaging=0.5,
    class_offsets=True,
)
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def window(logits, target, *, source, label_pixels):
    """An evaluation window that is all core."""
    height, width = logits.shape[1:]
    return EvaluationWindow(
        lr=torch.zeros(2, height // FACTOR, width // FACTOR),
        hr=torch.zeros(2, *target.shape),
        target=torch.from_numpy(target),
        core=Window(0, 0, height, width),
        source=source,
        label_pixels=label_pixels,
    )


def test_two_stages_refuse_labels_without_native_images(tmp_path):
    """The second stage learns from native images alone, and would read black ones."""
    card = read_card(write_sources(tmp_path), data=tmp_path)
    network = replace(NETWORK, protocol="two-stage")
    with pytest.raises(RunError, match=r"--protocol two-stage: .* has labels on the LR grid"):
        train(card, tmp_path / "run", network=network, recipe=RECIPE)
    assert not (tmp_path / "run").exists()


def test_labels_of_lr_pixels_are_compared_with_the_mean_of_the_probabilities():
    """One sure pixel of nine outvotes eight that hardly prefer the other class."""
    logits = torch.zeros(2, 3, 6)
    logits[0, :, :3] = 0.1
    logits[1, 1, 1] = 9
    logits[0, :, 3:] = 0.1
    target = np.array([[1, 0]], np.uint8)
    scores = SourceScores(LEGEND)
    scores.add(
        window(logits, target, source="coarse", label_pixels=3),
        sr=torch.zeros(2, 3, 6),
        logits=logits,
    )
    assert scores.metrics()["coarse/overall_accuracy"] == 1
    assert np.isnan(scores.psnr)
    assert scores.confusion.counts.tolist() == [[1, 0], [0, 1]]


def test_the_best_epoch_is_that_of_both_grids():
    """mean_iou is the mean of the two grids' mean IoU, however many pixels and sources each has."""
    scores = SourceScores(LEGEND)
    right = torch.zeros(2, 6, 6)
    right[0] = 5
    dark, bright = np.zeros((2, 2), np.uint8), np.ones((6, 6), np.uint8)
    sr = torch.zeros(2, 6, 6)
    scores.add(window(right, dark, source="world", label_pixels=3), sr=sr, logits=right)
    for name in ("a", "b"):
        scores.add(window(right, bright, source=name, label_pixels=1), sr=sr, logits=right)
    metrics = scores.metrics()
    assert (metrics["lr/mean_iou"], metrics["target/mean_iou"]) == (1, 0)
    assert metrics["mean_iou"] == 0.5
    assert metrics["a/overall_accuracy"] == metrics["b/overall_accuracy"] == 0
    assert 0.4 < metrics["calibration_error"] < 0.6


def test_a_pixel_sample_averages_like_the_map():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 6, 9)).astype(np.float32)
    target = np.array([[0, 1, NODATA], [1, 0, 1]], np.uint8)
    sample = PixelSample(2, 3)
    sample.add(logits, target)
    temperature = 1.7
    scaled = np.exp(logits / temperature)
    mean = (scaled / scaled.sum(0)).reshape(2, 2, 3, 3, 3).mean(axis=(2, 4))
    rows, cols = np.nonzero(target != NODATA)
    expected = -np.log(mean[target[rows, cols], rows, cols]).mean()
    assert sample.loss(temperature) == pytest.approx(expected, rel=1e-5)
    assert len(sample.reference) == 5


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return read_card(write_sources(folder), data=folder)


@pytest.fixture(scope="module")
def whole(card, tmp_path_factory):
    return train(card, tmp_path_factory.mktemp("whole") / "run", network=NETWORK, recipe=RECIPE)


@pytest.mark.slow
class TestTraining:
    def test_every_source_is_trained_and_validated(self, whole):
        with whole.metrics_table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for name in ("train/ce", "train/coarse_ce", "train/l1", "val/coarse/mean_iou"):
            assert all(np.isfinite(float(row[name])) for row in rows)
        figures = whole.validation().metrics
        assert {"fine/mean_iou", "coarse/mean_iou", "lr/iou_1", "target/psnr"} <= set(figures)
        assert figures["mean_iou"] == pytest.approx(
            (figures["lr/mean_iou"] + figures["target/mean_iou"]) / 2
        )

    def test_gamma_is_what_trains_on_lr_labels(self, card, tmp_path):
        """Without it the network learns nothing from a source of LR labels."""
        alone = replace(card, sources=card.sources[:1])
        recipe = replace(RECIPE, epochs=1, class_offsets=False, averaging=0.0)
        weights = []
        for gamma in (0.0, 1.0):
            own = replace(recipe, gamma=gamma)
            run = train(alone, tmp_path / str(gamma), network=NETWORK, recipe=own)
            weights.append(load_file(run.weights_file))
        learned = [name for name in weights[0] if name.endswith("weight") and "seg" in name]
        assert learned
        assert any(not torch.equal(weights[0][name], weights[1][name]) for name in learned)

    @pytest.mark.parametrize("behind", [3, 6], ids=str)
    def test_a_stopped_run_ends_as_one_that_was_not(self, card, whole, tmp_path, behind):
        class Stop(Callback):
            left = behind

            def on_train_batch_start(self, *_):
                self.left -= 1
                if self.left < 0:
                    raise RuntimeError("power cut")

        options = {
            "network": NETWORK,
            "recipe": RECIPE,
            "surroundings": Surroundings(checkpoint_minutes=0),
            "resume": True,
        }
        with pytest.raises(RuntimeError, match="power cut"):
            train(card, tmp_path / "run", callbacks=[Stop()], **options)
        run = train(card, tmp_path / "run", **options)
        assert run.validation().metrics == whole.validation().metrics
        ours, theirs = load_file(run.weights_file), load_file(whole.weights_file)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)

    def test_evaluate_reports_both_grids_as_training_did(self, card, whole):
        model = evaluate([whole.path], card, split="validation", seams="exact").models[0]
        figures = whole.validation().metrics
        assert set(model.by_source) == {"lr", "target", "coarse", "fine"}
        assert model.by_source["lr"].confusion.total == 24 * 24
        for name, own in model.by_source.items():
            assert own.confusion.mean_iou == pytest.approx(figures[f"{name}/mean_iou"], abs=0.01)
            error = figures[f"{name}/calibration_error"]
            assert own.calibration.error == pytest.approx(error, abs=0.01)
        # the figures with intervals are those of the target grid
        assert model.confusion.total == model.by_source["target"].confusion.total
