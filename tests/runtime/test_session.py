from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geosrseg.errors import DeviceError
from geosrseg.runtime import cuda
from geosrseg.runtime.session import open_session
from tests.tiny_models import make_spec


def test_a_session_knows_its_model(tiny_model):
    path = tiny_model(bands=2, classes=4)
    with open_session(path, device="cpu", threads=1) as session:
        assert session.path == path
        assert session.spec == make_spec(bands=2, classes=4)
        assert session.device == "cpu"
        assert len(session.sha256) == 64


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_session_gives_probabilities_and_sr_on_the_target_grid(tiny_model, factor):
    lr = np.random.default_rng(0).random((2, 3, 8, 24), np.float32)
    with open_session(tiny_model(upscale_factor=factor), device="cpu") as session:
        probabilities, sr = session.run_with_sr(lr)
        assert np.array_equal(session.run(lr), probabilities)
    expected = np.minimum(lr[:, 0] * 3, 2).astype(np.uint8)
    assert np.array_equal(sr, lr.repeat(factor, 2).repeat(factor, 3))
    assert np.array_equal(probabilities.argmax(1), expected.repeat(factor, 1).repeat(factor, 2))


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 8, 8), (1, 3, 8, 12)])
def test_an_input_that_is_not_of_the_model_is_a_mistake_of_the_caller(tiny_model, shape):
    with (
        open_session(tiny_model(), device="cpu") as session,
        pytest.raises(ValueError, match="multiples of 8, got"),
    ):
        session.run(np.zeros(shape, np.float32))


def test_what_the_runtime_fails_at_is_a_device_error(tiny_model):
    with (
        open_session(tiny_model(), device="cpu") as session,
        pytest.raises(DeviceError, match="a smaller window or batch needs less memory"),
    ):
        session.run(np.zeros((1, 3, 8, 8), np.float64))


def test_threads_share_a_session(tiny_model):
    lrs = np.random.default_rng(0).random((8, 1, 3, 8, 8), np.float32)
    with open_session(tiny_model(), device="cpu", threads=1) as session:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(session.run, lrs))
        assert all(
            np.array_equal(answer, session.run(lr)) for answer, lr in zip(answers, lrs, strict=True)
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "no device 'gpu': expected one of auto, cuda, cpu"),
        ({"threads": 0}, "0 threads: expected at least 1"),
    ],
)
def test_options_are_checked(tiny_model, options, message):
    with pytest.raises(DeviceError, match=message):
        open_session(tiny_model(), **options)


def test_a_device_asked_for_by_name_and_missing_says_why(tiny_model, monkeypatch):
    monkeypatch.setattr(cuda, "why_no_cuda", lambda: "no NVIDIA GPU or driver was found")
    with pytest.raises(DeviceError, match=r"cuda cannot be used: no NVIDIA GPU .* --device cpu"):
        open_session(tiny_model(), device="cuda")


def test_auto_falls_back_without_a_word(tiny_model, monkeypatch, capfd):
    """Even where all that can be probed speaks for CUDA, and loading it then fails."""
    monkeypatch.setattr(cuda, "why_no_cuda", lambda: None)
    with open_session(tiny_model(), device="auto") as session:
        assert session.device in {"cpu", "cuda"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(cuda.why_no_cuda() is None, reason="CUDA works here")
def test_cuda_that_does_not_load_is_refused_without_a_word(tiny_model, monkeypatch, capfd):
    monkeypatch.setattr(cuda, "why_no_cuda", lambda: None)
    with pytest.raises(DeviceError, match="device cuda cannot be used: "):
        open_session(tiny_model(), device="cuda")
    assert capfd.readouterr() == ("", "")


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
    assert str(cuda.why_no_cuda()).startswith(reason)


@pytest.mark.gpu
@pytest.mark.skipif(cuda.why_no_cuda() is not None, reason="no CUDA here")
def test_cuda_gives_the_labels_of_the_cpu(tiny_model):
    path, lr = tiny_model(), np.random.default_rng(0).random((1, 3, 32, 40), np.float32)
    with open_session(path, device="cuda") as gpu, open_session(path, device="cpu") as cpu:
        assert gpu.device == "cuda"
        assert np.array_equal(gpu.run(lr).argmax(1), cpu.run(lr).argmax(1))
