"""The figures of a model, on all blocks and on draws of them."""

import numpy as np
import pytest

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.evaluation.scoring.block_counts import BlockCounts
from geosrseg.evaluation.scoring.bootstrap import Draws, resample
from geosrseg.evaluation.scoring.scores import MEANS, OVERALL, Scores

CLASSES = ("water", "forest", "town")


def scores(matrices, *, objects=((0, 0, 0),), found=((0, 0, 0),)):
    """Scores of blocks with a confusion matrix each; the boundary counts the same pixels."""

    def counted(rows):
        values = np.array(rows).reshape(len(rows), -1)
        block, cell = np.nonzero(values)
        return BlockCounts(values.shape[1], block, cell, values[block, cell])

    confusion = counted(matrices)
    return Scores(CLASSES, confusion, confusion, counted(objects), counted(found))


@pytest.fixture
def common():
    """A block without a town."""
    return [[90, 10, 0], [5, 95, 0], [0, 0, 0]]


@pytest.fixture
def rare():
    """A block with a town that is mostly missed."""
    return [[90, 10, 0], [5, 95, 0], [60, 0, 20]]


def test_figures_of_all_blocks_are_those_of_their_sum(common, rare):
    figures = scores([common, rare], objects=[[4, 0, 2]], found=[[3, 0, 0]]).figures()
    whole = ConfusionMatrix(np.add(common, rare))
    assert figures["mean_iou"] == figures["boundary_mean_iou"] == whole.mean_iou
    assert figures["normalized_accuracy"] == whole.normalized_accuracy
    assert figures["kappa"] == whole.kappa
    assert figures["iou/town"] == whole.iou[2]
    assert figures["mean_small_object_recall"] == (0.75 + 0) / 2
    assert list(figures)[: len(OVERALL)] == list(OVERALL)


def test_a_class_that_occurs_nowhere_counts_in_no_mean(common):
    figures = scores([common]).figures()
    assert figures["mean_iou"] == ConfusionMatrix(np.array(common)).mean_iou
    assert np.isnan(figures["iou/town"])


def test_a_mean_is_over_the_same_classes_on_every_draw(common, rare):
    found = scores([common, rare])
    assert np.isfinite(found.figures(np.array([1, 1]))["mean_iou"])
    without = found.figures(np.array([2, 0]))
    assert all(np.isnan(without[name]) for name in MEANS)
    assert np.isfinite(without["overall_accuracy"])


def test_means_that_hang_on_one_block_have_no_interval(common, rare):
    """Two draws in five lack the town: without it, the mean IoU would be a third higher."""
    found = resample(scores([common] * 59 + [rare]).figures, Draws(60, 500)).estimates()
    assert not found["mean_iou"].bounded
    assert found["overall_accuracy"].bounded


def test_means_of_classes_that_are_everywhere_have_an_interval(common, rare):
    blocks = [common, rare] * 30
    found = resample(scores(blocks).figures, Draws(60, 500)).estimates()["mean_iou"]
    assert found.low < found.value < found.high
