"""Differences of arms with the same seeds, against what is known of them."""

import csv
import io
import json
import math

import numpy as np
import pytest
from scipy import stats

from geosrseg.evaluation.reproducing.paired import Arm, Pair, _pair, pairs_csv, pairs_json
from geosrseg.evaluation.scoring.bootstrap import Estimate

RESAMPLES, SEEDS = 4000, 6


def arm(name, values, *, blocks):
    """An arm of which each seed has a value, and all the same chance of the ground."""
    values = np.asarray(values, float)
    return Arm(name, {"mean_iou": values}, {"mean_iou": values + blocks[:, None]})


@pytest.fixture
def blocks():
    return np.random.default_rng(1).normal(0, 0.05, RESAMPLES)


@pytest.fixture
def lr(blocks):
    return arm("lr", 0.4 + 0.02 * np.arange(SEEDS), blocks=blocks)


def test_what_all_arms_share_is_not_in_a_difference(blocks, lr):
    """Seeds and ground scatter by several hundredths, the gain of each seed is the same."""
    pair = _pair(arm("e2e", lr.values["mean_iou"] + 0.03, blocks=blocks), lr, None, "mean_iou")
    assert pair.difference.value == pytest.approx(0.03)
    assert pair.difference.high - pair.difference.low < 1e-9 or not pair.difference.bounded
    assert pair.share is None


def test_the_interval_of_seeds_is_as_wide_as_students_is(blocks, lr):
    """Drawing six seeds with replacement alone would make it a tenth too narrow."""
    gains = np.array([0.01, 0.05, 0.02, 0.06, 0.03, 0.04])
    pair = _pair(arm("e2e", lr.values["mean_iou"] + gains, blocks=blocks), lr, None, "mean_iou")
    error = gains.std(ddof=1) / math.sqrt(SEEDS)
    half = (pair.difference.high - pair.difference.low) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, SEEDS - 1) * error, rel=0.1)
    low, high = pair.seed_interval
    expected = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_intervals_of_few_seeds_hold_the_truth_as_often_as_they_say(seeds):
    generator, none = np.random.default_rng(3), np.zeros(400)
    lr = arm("lr", np.zeros(seeds), blocks=none)
    tries = 300
    held = 0
    for _ in range(tries):
        gains = generator.normal(0, 0.01, seeds)
        found = _pair(arm("e2e", gains, blocks=none), lr, None, "mean_iou").difference
        held += found.low <= 0 <= found.high
    assert 0.88 <= held / tries <= 0.98


def test_the_share_is_that_of_the_room(blocks, lr):
    values = lr.values["mean_iou"]
    hr = arm("hr", values + 0.2, blocks=blocks)
    half = _pair(arm("e2e", values + 0.1, blocks=blocks), lr, hr, "mean_iou")
    assert half.share.value == pytest.approx(0.5)
    none = _pair(arm("e2e", values + 0.1, blocks=blocks), lr, lr, "mean_iou")
    assert math.isnan(none.share.value)
    assert _pair(hr, lr, hr, "mean_iou").share is None


@pytest.mark.parametrize(
    ("mean", "deviation", "seeds"),
    [(1.0, 1.0, 10), (0.5, 1.0, 34), (0.28, 1.0, 103), (0.2, 1.0, 199), (0.1, 1.0, 787)],
)
def test_the_seeds_that_a_difference_needs_are_those_of_the_t_test(mean, deviation, seeds):
    """From tables of the paired t-test's power: 10 pairs for d = 1, 34 for d = 0.5."""
    scatter = np.array([-1, 1, -1, 1, -1, 1.0])
    by_seed = mean + deviation * scatter / scatter.std(ddof=1)
    pair = Pair("e2e", "lr", "mean_iou", by_seed, Estimate(mean, 0, 1), None)
    assert pair.seeds_needed == seeds


def test_no_difference_needs_endless_seeds():
    pair = Pair("e2e", "lr", "kappa", np.array([0.1, -0.1]), Estimate(0.0, -1, 1), None)
    assert pair.seeds_needed == math.inf
    assert json.loads(pairs_json([pair]))[0]["seeds_needed"] is None


def test_arms_that_are_equal_need_endless_seeds(lr):
    assert _pair(lr, lr, None, "mean_iou").seeds_needed == math.inf


def test_a_figure_that_nobody_has_is_null(blocks, lr):
    """A class that is neither in the reference nor in a map."""
    pair = _pair(arm("e2e", np.full(SEEDS, np.nan), blocks=blocks), lr, None, "mean_iou")
    assert math.isnan(pair.seeds_needed)
    (value,) = json.loads(pairs_json([pair]), parse_constant=pytest.fail)
    assert value["by_seed"] == [None] * SEEDS
    assert value["deviation"] is value["seeds_needed"] is value["interval_over_seeds"][0] is None


def test_files_say_the_same(blocks, lr):
    values = lr.values["mean_iou"]
    pair = _pair(
        arm("e2e", values + 0.1 + 0.01 * np.arange(6), blocks=blocks),
        lr,
        arm("hr", values + 0.2, blocks=blocks),
        "mean_iou",
    )
    (row,) = csv.DictReader(io.StringIO(pairs_csv([pair])))
    (value,) = json.loads(pairs_json([pair]))
    assert float(row["difference"]) == value["difference"]["value"]
    assert float(row["share_low"]) == value["share_of_room"]["interval"][0]
    assert (row["arm"], row["compared_with"], row["seeds"]) == ("e2e", "lr", "6")
