import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosrseg.core.labels import best_class, doubt, fractions, percent
from geosrseg.core.legend import NODATA

few = st.sampled_from([0.0, 0.25, 0.5, 1.0])  # so that ties occur
scores = hnp.array_shapes(min_dims=3, max_dims=3, max_side=70).flatmap(
    lambda shape: hnp.arrays(np.float32, shape, elements=few)
)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=0))
    return (powers / powers.sum(axis=0)).astype(np.float32)


@given(scores)
def test_the_best_class_is_the_first_of_the_largest(values):
    labels, best = best_class(values)
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, values.argmax(axis=0))
    np.testing.assert_array_equal(best, values.max(axis=0))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_the_confidence_is_the_softmax_of_the_divided_logits(temperature):
    logits = np.random.default_rng(0).normal(0, 3, (5, 40, 30))
    probabilities = softmax(logits)
    _, best = best_class(probabilities)
    found = percent(probabilities, best, temperature=temperature)
    expected = softmax(logits / temperature).max(axis=0) * 100
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_certain_and_impossible_classes_give_no_nan():
    probabilities = np.zeros((3, 2, 2), np.float32)
    probabilities[1] = 1
    _, best = best_class(probabilities)
    assert (percent(probabilities, best, temperature=2.0) == 100).all()


def test_doubt_falls_evenly_and_ends_behind_the_reach():
    steps = np.array([[0, 1, 2, 3, 4, 5, 9]], np.int32)
    np.testing.assert_array_equal(doubt(steps, reach=4), [[100, 100, 75, 50, 25, 0, 0]])
    np.testing.assert_array_equal(doubt(steps, reach=0), [[0] * 7])


def test_doubt_is_above_zero_wherever_something_unknown_is_within_reach():
    steps = np.arange(1, 1003, dtype=np.int32)[None]
    found = doubt(steps, reach=1000)
    assert found[0, :1000].min() == 1
    assert (found[0, 1000:] == 0).all()


def test_fractions_are_the_shares_of_a_source_pixel():
    labels = np.array([[0, 0, 1, 1], [0, 2, 1, 1]], np.uint8)
    expected = [[[0.75, 0]], [[0, 1]], [[0.25, 0]]]
    np.testing.assert_array_equal(fractions(labels, classes=3, factor=2), expected)


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_fractions_sum_to_one_and_are_nan_in_nodata(factor, rows, cols, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (rows * factor, cols * factor)).astype(np.uint8)
    hidden = rng.random((rows, cols)) < 0.3
    labels[hidden.repeat(factor, 0).repeat(factor, 1)] = NODATA
    shares = fractions(labels, classes=4, factor=factor)
    assert shares.shape == (4, rows, cols)
    np.testing.assert_allclose(shares.sum(axis=0)[~hidden], 1, atol=1e-6)
    assert np.isnan(shares[:, hidden]).all()
