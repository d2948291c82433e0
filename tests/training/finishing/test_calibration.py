import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.training.finishing.calibration import calibration_error, search_temperature


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=0))
    return (powers / powers.sum(axis=0)).astype(np.float32)


def temperature_of(probabilities, reference):
    """The temperature with the least negative log-likelihood of the reference."""
    logits = np.log(np.maximum(probabilities, 1e-12), dtype=np.float64)

    def loss(temperature):
        powers = np.exp((logits - logits.max(axis=0)) / temperature)
        own = np.take_along_axis(powers / powers.sum(axis=0), reference[None].astype(int), 0)
        return -np.log(own).mean()

    return search_temperature(loss)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_finds_the_temperature_that_the_reference_was_drawn_with(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4, 40_000))
    shares = softmax(logits).cumsum(axis=0)
    reference = (rng.random(40_000) > shares).sum(axis=0).clip(max=3).astype(np.uint8)
    # A network that says the same with logits T times as large is calibrated by T.
    said = softmax(logits * temperature)
    assert temperature_of(said, reference) == pytest.approx(temperature, rel=0.05)


def test_a_network_that_is_always_right_is_calibrated_too():
    probabilities = softmax(np.eye(3)[:, [0, 1, 2]] * 50)
    found = temperature_of(probabilities, np.array([0, 1, 2], np.uint8))
    assert 0 < found < 100


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_the_error_is_that_of_a_loop_over_bins(pixels, seed):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(pixels), rng.random(pixels) < 0.7
    expected = 0.0
    for k in range(15):
        inside = (confidence >= k / 15) & (confidence < (k + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert calibration_error(confidence, correct) == pytest.approx(expected)


def test_the_error_is_zero_where_confidence_is_accuracy():
    confidence = np.full(10, 0.7)
    assert calibration_error(confidence, np.arange(10) < 7) == pytest.approx(0)
    assert calibration_error(confidence, np.arange(10) < 2) == pytest.approx(0.5)
