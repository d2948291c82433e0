"""A network of native images teaches one of LR images."""

from dataclasses import replace

import pytest
import torch

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.training.run_folder.metrics_table import read_metrics
from geosrseg.training.teacher import choose_teacher, open_teacher, soft_label_loss
from geosrseg.training.train import train
from tests.evaluation.conftest import LEGEND
from tests.tiny_datasets import BANDS, write_dataset

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

HR = NetworkConfig(
    protocol="hr", bands=2, classes=2, upscale_factor=1, seg_options={"width": 1 / 16}
)
STUDENT = replace(
    HR,
    protocol="end-to-end",
    upscale_factor=4,
    sr_options={"base": 3, "feat": 4, "stages": 2},
    residual=True,
)
RECIPE = Recipe(
    alpha=1, beta=1, sr_rate=1e-3, seg_rate=1e-3, epochs=1, chips_per_epoch=4, batch_size=2,
    chip_size=64, class_power=0,
)  # fmt: skip


class TestSoftLabelLoss:
    def test_it_is_zero_where_both_say_the_same(self):
        logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
        trained = torch.ones(2, 4, 4, dtype=torch.bool)
        shifted = logits + 5  # the same probabilities
        assert soft_label_loss(logits, shifted, trained).item() == pytest.approx(0, abs=1e-6)

    def test_it_is_the_divergence_of_the_pixels_that_are_trained(self):
        told, said = torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.5])
        taught, logits = (p.log().reshape(1, 2, 1, 1).expand(1, 2, 1, 2) for p in (told, said))
        logits = logits.clone()
        logits[0, :, 0, 1] = torch.tensor([9.0, -9.0])  # far off, where nothing is trained
        expected = (told * (told / said).log()).sum().item()
        one = torch.tensor([[[True, False]]])
        assert soft_label_loss(logits, taught, one).item() == pytest.approx(expected, abs=1e-6)
        assert soft_label_loss(logits, taught, torch.zeros_like(one)).item() == 0


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    return read_card(write_dataset(folder), data=folder)


@pytest.fixture(scope="module")
def teacher(card, tmp_path_factory):
    return train(card, tmp_path_factory.mktemp("runs") / "hr", network=HR, recipe=RECIPE)


def test_it_never_changes_and_is_differentiated_in_the_image_alone(teacher):
    opened = open_teacher(teacher.path, bands=BANDS, legend=LEGEND, chip_size=64)
    image = torch.rand(1, 2, 64, 64, requires_grad=True)
    opened.read(image).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in opened.network.parameters())
    assert not opened.network.training
    assert not opened.teach(image).requires_grad


@pytest.mark.slow
@pytest.mark.parametrize("warm_up", [0, 1])
def test_a_student_learns_soft_labels_and_the_task(card, teacher, tmp_path, warm_up):
    recipe = replace(RECIPE, epochs=1 + warm_up, sr_warm_up=warm_up, task_weight=0.5)
    before = teacher.weights_sha256()
    run = train(card, tmp_path / "taught", network=STUDENT, recipe=recipe, teacher=teacher.path)
    assert run.config().teacher == before == teacher.weights_sha256()
    last = read_metrics(run.metrics_table)[-1]
    parts = [last[f"train/{name}"] for name in ("l1", "ce", "teacher", "task")]
    assert all(part > 0 for part in parts)
    l1, ce, soft, task = parts
    assert last["train/loss"] == pytest.approx(l1 + ce + soft + 0.5 * task, rel=1e-4)
    first = read_metrics(run.metrics_table)[0]
    assert ("train/task" in first, "train/teacher" in first) == (True, not warm_up)
    with pytest.raises(RunError, match=r"started with (teacher|task_weight)"):
        train(
            card,
            run.path,
            network=STUDENT,
            recipe=replace(recipe, task_weight=0.0),
            resume=True,
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": ("red", "green")}, "has bands red, nir"),
        ({"legend": Legend((LegendClass(1, "dark", "#222222"),))}, "expected red, nir and dark"),
        ({"chip_size": 40}, "--crop 40: expected a multiple of the teacher's 32"),
    ],
)
def test_one_that_knows_other_things_is_refused(teacher, changes, message):
    known = {"bands": BANDS, "legend": LEGEND, "chip_size": 64} | changes
    with pytest.raises(RunError, match=message):
        open_teacher(teacher.path, **known)


def test_one_that_reads_other_reflectance_is_refused(card, teacher, tmp_path):
    """It would see an image twice as dark, and teach chance."""
    wider = replace(card, high=tuple(2 * value for value in card.high))
    with pytest.raises(RunError, match=r"reads reflectance from .* train it on this card"):
        train(wider, tmp_path / "run", network=STUDENT, recipe=RECIPE, teacher=teacher.path)


def test_one_that_learned_what_validates_here_is_refused(card, teacher, tmp_path):
    folded = replace(card, fold=(1, 3))
    with pytest.raises(RunError, match="was trained on no fold, this run on fold 1 of 3"):
        choose_teacher(teacher.path, folded, network=STUDENT, recipe=RECIPE)


def test_what_cannot_be_taught_is_refused(card, teacher, tmp_path):
    with pytest.raises(RunError, match="protocol hr cannot use a teacher"):
        train(card, tmp_path / "hr", network=HR, recipe=RECIPE, teacher=teacher.path)
    task = replace(RECIPE, task_weight=1.0)
    with pytest.raises(RunError, match="--task-weight 1: needs a --teacher"):
        train(card, tmp_path / "run", network=STUDENT, recipe=task)
    with pytest.raises(RunError, match="is not a run"):
        train(card, tmp_path / "run", network=STUDENT, recipe=RECIPE, teacher=tmp_path)
    assert not (tmp_path / "run").exists()
