import ctypes
from types import SimpleNamespace

import pytest

from geosrseg.runtime.devices import cuda


@pytest.mark.parametrize(
    ("providers", "devices", "reason"),
    [
        (["CPUExecutionProvider"], 1, "this onnxruntime has no CUDA provider"),
        ([cuda.PROVIDER, "CPUExecutionProvider"], 0, "no NVIDIA GPU or driver"),
        ([cuda.PROVIDER, "CPUExecutionProvider"], 1, "None"),
    ],
)
def test_the_reason_names_what_is_missing(monkeypatch, providers, devices, reason):
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)
    monkeypatch.setattr(cuda, "_devices", lambda: devices)
    assert str(cuda.Cuda().why_not()).startswith(reason)


class Driver(SimpleNamespace):
    """A stand-in for NVIDIA's driver; all calls except those in `failing` succeed."""

    def __init__(self, *, failing=()):
        self.failing, self.calls = failing, []

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append(name)
            if name == "cuMemGetInfo_v2":
                arguments[0]._obj.value, arguments[1]._obj.value = 3 * 2**30, 2**34
            return int(name in self.failing)

        return call


def test_free_memory_is_what_the_driver_says_of_the_gpu(monkeypatch):
    driver = Driver()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: driver)
    assert cuda.Cuda().free_memory() == 3 * 2**30
    assert driver.calls[-2:] == ["cuCtxPopCurrent_v2", "cuDevicePrimaryCtxRelease_v2"]


@pytest.mark.parametrize("name", ["cuInit", "cuCtxPushCurrent_v2", "cuMemGetInfo_v2"])
def test_without_an_answer_of_the_driver_it_is_the_hosts(monkeypatch, name):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver(failing={name}))
    monkeypatch.setattr(cuda, "available_memory", lambda: 5)
    assert cuda.Cuda().free_memory() == 5
