import numpy as np
import pytest

from geosrseg.training.finishing.temperature import search_temperature


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
