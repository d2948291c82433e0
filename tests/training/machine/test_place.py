"""The device that a training runs on."""

import pytest

from geosrseg.errors import DeviceError
from geosrseg.training.machine.place import find_place


def test_a_device_that_is_not_there_is_one_error(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert find_place("cpu") == "cpu"
    with pytest.raises(DeviceError, match="`device` cuda: PyTorch finds none here"):
        find_place("cuda")


def test_the_fastest_device_there_is(monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert find_place("auto") == "mps"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert find_place("auto") == "cuda"
