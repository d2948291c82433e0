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
    assert str(cuda.why_not()).startswith(reason)
