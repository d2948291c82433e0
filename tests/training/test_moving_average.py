"""The average is that of its definition, tensor by tensor."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from geosrseg.training.moving_average import moving_average


def averaged(decay, values):
    """The average of one weight that takes these values, as the callback computes it."""
    average = moving_average(decay)._kwargs["multi_avg_fn"]
    found = torch.tensor(values[0])
    for step, value in enumerate(values[1:], 1):
        average([found], [torch.tensor(value)], torch.tensor(step))
    return found.item()


def test_a_short_run_forgets_its_beginning():
    beginning, end = 5.0, 1.0
    assert averaged(0.999, [beginning, *[end] * 100]) == pytest.approx(end, abs=0.01)


def test_behind_the_rise_it_is_an_exponential_moving_average():
    values = [0.0] * 200
    assert averaged(0.9, [*values, 1.0]) == pytest.approx(0.1)
    assert averaged(0.9, [*values, 1.0, 1.0]) == pytest.approx(0.19)


def test_it_is_the_average_of_its_definition():
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    averaged = AveragedModel(
        network, multi_avg_fn=moving_average(0.5)._kwargs["multi_avg_fn"], use_buffers=True
    )
    expected = None
    for step in range(12):
        for parameter in network.parameters():
            parameter.data += torch.rand(parameter.shape)
        network(torch.rand(2, 2, 6, 6))  # moves the statistics and counts a batch
        averaged.update_parameters(network)
        now = {name: value.clone() for name, value in network.state_dict().items()}
        if expected is None:
            expected = now
        kept = min((1 + step) / (10 + step), 0.5)
        for name, value in now.items():
            is_float = value.is_floating_point()
            expected[name] = kept * expected[name] + (1 - kept) * value if is_float else value
    for name, value in averaged.module.state_dict().items():
        assert torch.allclose(value.float(), expected[name].float(), atol=1e-5), name
