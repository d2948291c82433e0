import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geosrseg.errors import DeviceError
from geosrseg.runtime.devices.devices import AUTO, DEVICES, find_device
from geosrseg.runtime.session import choose_precision, open_session
from tests.tiny_models import make_spec

HERE = [name for name in DEVICES.names if find_device(name).why_not() is None]
"""Devices that can be used on this machine."""


SHORT_OF_MEMORY = """
import resource, sys
import numpy as np
from pathlib import Path
from geosrseg.errors import DeviceMemoryError
from geosrseg.runtime.session import open_session

with open_session(sys.argv[1], device=sys.argv[2], threads=1) as session:
    small = np.zeros((1, 3, 16, 16), np.float32)
    session.run(small)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 100_000_000, -1))
    try:
        session.run(np.zeros((1, 3, 256, 256), np.float32))
    except DeviceMemoryError as error:
        print(error)
    session.run(small)
    print("then it ran")
"""


@pytest.fixture(params=HERE)
def device(request):
    return request.param


def test_a_session_knows_its_model(tiny_model):
    path = tiny_model(bands=2, classes=4)
    with open_session(path, device="cpu", threads=1) as session:
        assert session.path == path
        assert session.spec == make_spec(bands=2, classes=4)
        assert (session.device, session.precision) == ("cpu", "fp32")
        assert len(session.sha256) == 64


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_session_gives_probabilities_and_sr_on_the_target_grid(tiny_model, factor, device):
    lr = np.random.default_rng(0).random((2, 3, 8, 24), np.float32)
    with open_session(tiny_model(upscale_factor=factor), device=device) as session:
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


def test_an_input_that_is_not_float32_is_a_mistake_of_the_caller(tiny_model):
    with (
        open_session(tiny_model(), device="cpu") as session,
        pytest.raises(ValueError, match=r"an input is float32 .* got float64"),
    ):
        session.run(np.zeros((1, 3, 8, 8)))


def test_a_closed_session_does_not_run(tiny_model):
    with open_session(tiny_model(), device="cpu") as session:
        pass
    with pytest.raises(ValueError, match="closed"):
        session.run(np.zeros((1, 3, 8, 8), np.float32))


def test_it_sums_the_time_of_its_runs(tiny_model):
    lr = np.zeros((1, 3, 8, 8), np.float32)
    with open_session(tiny_model(), device="cpu") as session:
        assert session.seconds == 0
        session.run(lr)
        once = session.seconds
        session.run_with_sr(lr)
        assert 0 < once < session.seconds


def test_threads_share_a_session(tiny_model, device):
    """Inputs have several shapes, and some run at the same time."""
    rng = np.random.default_rng(0)
    lrs = [rng.random((1, 3, 8, 8 * (i % 2 + 1)), np.float32) for i in range(16)]
    with open_session(tiny_model(), device=device, threads=1) as session:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(session.run, lrs))
        assert all(
            np.array_equal(answer, session.run(lr)) for answer, lr in zip(answers, lrs, strict=True)
        )


def test_an_answer_is_not_written_over_by_the_next(tiny_model, device):
    lrs = np.random.default_rng(0).random((2, 1, 3, 64, 64), np.float32)
    with open_session(tiny_model(), device=device) as session:
        first = session.run(lrs[0])
        kept = first.copy()
        second = session.run(lrs[1])
    assert not np.array_equal(first, second)
    assert np.array_equal(first, kept)


def test_a_run_can_be_cancelled_from_another_thread(device):
    with (
        open_session("gewata-4x", device=device, precision="fp32") as session,
        ThreadPoolExecutor() as pool,
    ):
        lr = np.zeros((1, 6, 512, 512), np.float32)
        running = pool.submit(session.run, lr)
        while not running.done():
            session.cancel()
            time.sleep(0.01)
        assert isinstance(running.exception(), DeviceError)
        assert session.run(lr[:, :, :16, :16]).shape == (1, 5, 64, 64)  # it goes on


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_want_of_memory_is_an_error_of_its_own(tiny_model, device):
    """Runs in an interpreter limited to 100 MB beyond a small window."""
    model = tiny_model(upscale_factor=16)
    words = [sys.executable, "-c", SHORT_OF_MEMORY, model, device]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
    assert "failed on" in done.stdout
    assert "out of memory; a smaller window" in done.stdout
    assert done.stdout.endswith("then it ran\n")
    assert not done.stderr


def test_a_window_needs_memory_for_the_widest_of_its_values(tiny_model):
    """3 copies of probabilities and image at 4x: 16 pixels of 3 channels each."""
    with open_session(tiny_model(), device="cpu") as session:
        pixel = session.bytes_per_pixel / find_device("cpu").memory_factor
    assert 3 * 16 * 3 * 4 <= pixel <= 4 * 16 * 3 * 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "no device 'gpu': expected one of auto, cuda, tensorrt, openvino, cpu"),
        ({"precision": "fp8"}, "no precision 'fp8': expected one of auto, fp32, bf16, fp16"),
        ({"precision": "int8"}, "precision int8 is not offered: .* use `precision` auto"),
        ({"threads": 0}, "0 threads: expected 1 to 4096"),
        ({"threads": 2**31}, "2147483648 threads: expected 1 to 4096"),
        (
            {"device": "cpu", "precision": "bf16"},
            "precision bf16 cannot be used: device cpu computes in fp32 here",
        ),
    ],
)
def test_options_are_checked(tiny_model, options, message):
    with pytest.raises(DeviceError, match=message):
        open_session(tiny_model(), **options)


@pytest.mark.parametrize("name", DEVICES.names)
def test_a_device_asked_for_by_name_and_missing_says_why(tiny_model, monkeypatch, name):
    monkeypatch.setattr(find_device(name), "why_not", lambda: "the library x is missing: install x")
    with pytest.raises(DeviceError, match=f"device {name} cannot be used: the library x .* x"):
        open_session(tiny_model(), device=name)


def test_auto_takes_the_first_that_works(tiny_model, capfd):
    with open_session(tiny_model()) as session:
        assert session.device == next(name for name in AUTO if name in HERE)
    assert capfd.readouterr() == ("", "")


def test_auto_falls_back_without_a_word(tiny_model, monkeypatch, capfd):
    """A device may pass all checks and still fail to load."""

    def fail(*_args, **_options):
        raise RuntimeError("the provider does not load")

    monkeypatch.setattr(find_device("openvino"), "why_not", lambda: None)
    monkeypatch.setattr(find_device("openvino"), "precisions", lambda: ("fp32",))
    monkeypatch.setattr(find_device("openvino"), "load", fail)
    monkeypatch.setattr(find_device("cuda"), "why_not", lambda: None)
    with open_session(tiny_model()) as session:
        assert session.device in {"cpu", "cuda"}
    assert capfd.readouterr() == ("", "")


def test_auto_looks_for_a_device_with_the_precision(tiny_model, monkeypatch):
    for name in AUTO:
        monkeypatch.setattr(find_device(name), "why_not", lambda: None)
        monkeypatch.setattr(find_device(name), "precisions", lambda: ("fp32",))
    with pytest.raises(DeviceError, match=r"cuda computes in fp32 .*; .* openvino .*; .* cpu"):
        open_session(tiny_model(), precision="bf16")


@pytest.mark.parametrize(
    ("allowed", "wanted", "taken"),
    [
        (("fp32",), "auto", "fp32"),
        (("fp32", "bf16"), "auto", "bf16"),
        (("fp32", "fp16"), "auto", "fp32"),
        (("fp32", "bf16"), "fp32", "fp32"),
        (("fp32",), "bf16", "bf16"),
    ],
)
def test_auto_precision_is_the_fastest_that_device_and_model_allow(
    monkeypatch, allowed, wanted, taken
):
    monkeypatch.setattr(find_device("openvino"), "precisions", lambda: ("bf16", "fp32"))
    assert choose_precision(make_spec(precisions=allowed), "openvino", wanted) == taken


@pytest.mark.skipif(find_device("cuda").why_not() is None, reason="CUDA works here")
def test_cuda_that_does_not_load_is_refused_without_a_word(tiny_model, monkeypatch, capfd):
    monkeypatch.setattr(find_device("cuda"), "why_not", lambda: None)
    with pytest.raises(DeviceError, match=r"tiny\.onnx cannot be loaded on cuda"):
        open_session(tiny_model(), device="cuda")
    assert capfd.readouterr() == ("", "")


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["cuda", "tensorrt"])
def test_the_gpu_gives_the_labels_of_the_cpu(tiny_model, name):
    if name not in HERE:
        pytest.skip(str(find_device(name).why_not()))
    path, lr = tiny_model(), np.random.default_rng(0).random((1, 3, 32, 40), np.float32)
    with open_session(path, device=name) as gpu, open_session(path, device="cpu") as cpu:
        assert gpu.device == name
        assert np.array_equal(gpu.run(lr).argmax(1), cpu.run(lr).argmax(1))
