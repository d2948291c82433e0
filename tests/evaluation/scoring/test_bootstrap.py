from dataclasses import replace

import numpy as np
import pytest

from geosrseg.evaluation.scoring.bootstrap import Draws, Estimate, resample


def mean_of(values):
    """The figure ``mean`` of blocks with one value each."""
    return lambda draws: {"mean": float(values @ draws / draws.sum())}


@pytest.fixture
def values():
    return np.random.default_rng(1).normal(3, 2, 200)


def test_every_draw_has_as_many_blocks_as_there_are():
    draws = np.array(list(Draws(7, 50)))
    assert draws.shape == (50, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert draws.max() > 1


def test_the_same_seed_draws_the_same_blocks():
    draws = Draws(9, 5)
    np.testing.assert_array_equal(list(draws), list(draws))
    assert (np.array(list(draws)) != list(replace(draws, seed=1))).any()


def test_the_interval_of_a_mean_is_that_of_theory(values):
    estimate = resample(mean_of(values), Draws(values.size, 2000)).estimates()["mean"]
    margin = 1.96 * values.std() / np.sqrt(values.size)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - margin, abs=0.1 * margin)
    assert estimate.high == pytest.approx(values.mean() + margin, abs=0.1 * margin)


def test_a_difference_on_the_same_draws_is_surer_than_its_parts(values):
    draws = Draws(values.size, 2000)
    better = values + np.random.default_rng(2).normal(0.1, 0.05, values.size)
    first, second = resample(mean_of(values), draws), resample(mean_of(better), draws)
    difference = second.differences(first)["mean"]
    assert difference.value == pytest.approx((better - values).mean())
    assert difference.beyond_zero
    assert second.estimates()["mean"].low < first.estimates()["mean"].high  # they overlap


def test_a_model_does_not_differ_from_itself(values):
    same = resample(mean_of(values), Draws(values.size, 2000))
    difference = same.differences(same)["mean"]
    assert (difference.value, difference.beyond_zero) == (0, False)


def test_one_block_gives_no_interval():
    estimate = resample(mean_of(np.array([4.0])), Draws(1, 9)).estimates()["mean"]
    assert estimate.value == 4
    assert np.isnan([estimate.low, estimate.high]).all()


def test_a_figure_that_most_draws_do_not_define_has_no_interval():
    def figures(draws):
        return {"rare": 1.0 / draws[0] if draws[0] else float("nan")}

    estimate = resample(figures, Draws(50, 99)).estimates()["rare"]
    assert estimate.value == 1
    assert np.isnan(estimate.low)


@pytest.mark.parametrize(
    ("low", "high", "beyond"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False)]
)
def test_an_interval_on_one_side_of_zero_is_beyond_it(low, high, beyond):
    assert Estimate(0.0, low, high).beyond_zero == beyond


def test_nothing_can_be_drawn_from_no_block():
    with pytest.raises(ValueError, match="at least one block and one draw"):
        Draws(0, 9)
