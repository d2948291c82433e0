"""How long a training waits for its chips is measured, and is no part of its results."""

from types import SimpleNamespace

import pytest

from geosrseg.training.machine import chip_loader
from geosrseg.training.machine.chip_loader import ChipLoader, Waiting, choose_workers


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(chip_loader, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


class Slow:
    """Four chips that take a second each."""

    def __init__(self, clock):
        self._clock = clock

    def __len__(self):
        return 4

    def __getitem__(self, number):
        self._clock.now += 1
        return number


class Module:
    def __init__(self):
        self.logged = {}

    def log(self, name, value):
        self.logged[name] = value


def epoch(clock, loader, callback, *, step):
    module = Module()
    callback.on_train_epoch_start(None, module)
    seen = []
    for batch in loader:
        clock.now += step
        seen += batch.tolist()
    callback.on_validation_start(None, module)
    clock.now += 50  # a validation is not part of the steps
    callback.on_train_epoch_end(None, module)
    return seen, module.logged["train/waiting"]


def test_the_share_is_that_of_the_steps_and_of_one_epoch(clock):
    loader = ChipLoader(Slow(clock), batch_size=2)
    callback = Waiting(loader)
    assert epoch(clock, loader, callback, step=2) == ([0, 1, 2, 3], 0.5)
    assert epoch(clock, loader, callback, step=6) == ([0, 1, 2, 3], 0.25)
    assert callback.share == 0.25


def test_without_a_validation_the_epochs_end_counts(clock):
    loader = ChipLoader(Slow(clock), batch_size=4)
    callback = Waiting(loader)
    callback.on_train_epoch_start(None, Module())
    for _ in loader:
        clock.now += 12
    callback.on_train_epoch_end(None, Module())
    assert callback.share == 0.25


@pytest.mark.parametrize(
    ("place", "cores", "devices", "workers"),
    [
        ("cpu", 16, 1, 0),
        ("cuda", 8, 1, 8),
        ("cuda", 64, 1, 12),
        ("cuda", 8, 4, 2),
        ("cuda", 2, 4, 1),
    ],
)
def test_workers_follow_the_device_and_its_cores(monkeypatch, place, cores, devices, workers):
    os = SimpleNamespace(sched_getaffinity=lambda _: range(cores), cpu_count=lambda: 99)
    monkeypatch.setattr(chip_loader, "os", os)
    assert choose_workers(place, devices=devices) == workers
