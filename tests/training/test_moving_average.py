import pytest
import torch

from geosrseg.training.moving_average import moving_average


def averaged(decay, values):
    """The average of one weight that takes these values, as the callback computes it."""
    average = moving_average(decay)._kwargs["avg_fn"]
    found = torch.tensor(values[0])
    for step, value in enumerate(values[1:], 1):
        found = average(found, torch.tensor(value), torch.tensor(step))
    return found.item()


def test_a_short_run_forgets_its_beginning():
    beginning, end = 5.0, 1.0
    assert averaged(0.999, [beginning, *[end] * 100]) == pytest.approx(end, abs=0.01)


def test_behind_the_rise_it_is_an_exponential_moving_average():
    values = [0.0] * 200
    assert averaged(0.9, [*values, 1.0]) == pytest.approx(0.1)
    assert averaged(0.9, [*values, 1.0, 1.0]) == pytest.approx(0.19)


def test_a_counter_is_taken_over():
    average = moving_average(0.9)._kwargs["avg_fn"]
    assert average(torch.tensor(1), torch.tensor(7), torch.tensor(3)).item() == 7
