import numpy as np
import pytest
import torch

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.training.validating import evaluation_windows
from geosrseg.training.validating.evaluation_windows import EvaluationWindows
from geosrseg.training.validating.validation_scores import Evaluation
from tests.tiny_datasets import HEIGHT, WIDTH


@pytest.fixture
def scenes(card):
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        yield scenes


def evaluate(scenes, *, halo: int) -> tuple[int, Evaluation]:
    windows = EvaluationWindows(
        scenes, split="validation", upscale_factor=4, multiple=8, exact_halo=halo
    )
    done = Evaluation(ConfusionMatrix.empty(2))
    for index in range(len(windows)):
        window = windows[index]
        sr = window.lr.repeat_interleave(4, 1).repeat_interleave(4, 2)
        bright = (sr[0] > 0.5).float()
        done.add(window, sr=sr, logits=torch.stack([1 - bright, bright]))
    return len(windows), done


def test_every_reference_pixel_is_counted_once_whatever_the_windows(scenes, monkeypatch):
    whole, one = evaluate(scenes, halo=8)
    monkeypatch.setattr(evaluation_windows, "LARGEST", 128)
    parts, many = evaluate(scenes, halo=8)
    target = scenes[0].read_target(Window(0, 0, HEIGHT, WIDTH), "validation")
    assert parts > whole
    assert one.confusion.total == (target != NODATA).sum()
    assert np.array_equal(one.confusion.counts, many.confusion.counts)
    assert one.psnr == pytest.approx(many.psnr)


def test_psnr_is_that_of_the_definition(scenes):
    _, done = evaluate(scenes, halo=8)
    window = Window(0, 0, HEIGHT, WIDTH)
    lr = torch.from_numpy(scenes[0].read_inputs(Window(0, 0, 40, 48), factor=4))
    sr = lr.repeat_interleave(4, 1).repeat_interleave(4, 2).numpy()
    counted = scenes[0].read_target(window, "validation") != NODATA
    mse = np.mean((sr - scenes[0].read_hr(window))[:, counted] ** 2)
    assert done.psnr == pytest.approx(10 * np.log10(1 / mse), abs=1e-3)


def test_an_evaluation_of_nothing_has_no_psnr():
    assert np.isnan(Evaluation(ConfusionMatrix.empty(2)).psnr)
