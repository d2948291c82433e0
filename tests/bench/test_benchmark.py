"""How fast a model maps: what is measured, and the figures that follow."""

import json
import math
import sys
from pathlib import Path

import onnx
import pytest

from geosrseg.bench import benchmark as module
from geosrseg.bench.benchmark import benchmark, find_subject, make_full
from geosrseg.bench.command import run_predict
from geosrseg.bench.contestants import (
    SIDES,
    networks,
    products,
    run_in_turn,
    yardsticks,
)
from geosrseg.bench.machine import describe_machine
from geosrseg.bench.process import MeasuredProcess
from geosrseg.errors import DeviceError, DeviceMemoryError, GeosrsegError, MissingExtraError
from geosrseg.runtime.devices.devices import find_device
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.shipped_models import DEFAULT_MODEL, find_model
from tests.tiny_benchmark import make_benchmark
from tests.tiny_models import make_spec


@pytest.fixture
def result():
    return make_benchmark()


class TestFigures:
    def test_the_peak_is_that_of_the_fastest_library(self, result):
        assert result.peak("cpu", "fp32") == 2000

    def test_the_share_of_the_peak_counts_two_operations_a_multiplication(self, result):
        assert result.share_of_peak(result.networks[0]) == 0.5

    def test_without_a_peak_there_is_no_share(self, result):
        assert result.share_of_peak(result.networks[1]) is None

    def test_the_yardstick_is_pytorch_on_the_cpu(self, result):
        figures = result.to_json()
        assert [each["times_yardstick"] for each in figures["networks"]] == [4, 8, 1]
        (command,) = figures["commands"]
        assert command["times_yardstick"] == pytest.approx((9600 / 11) / (1600 / 4))

    def test_a_command_is_compared_with_the_network_run_by_run(self, result):
        (command,) = result.commands
        assert command.times_network == 1.2
        assert command.peak_bytes == 7

    def test_json_holds_every_figure(self, result):
        figures = json.loads(json.dumps(result.to_json(), allow_nan=False))
        assert figures["networks"][0] == {
            "device": "openvino",
            "precision": "fp32",
            "seconds": [1.0],
            "hr_pixels_per_second": {"median": 1600, "min": 1600, "max": 1600},
            "times_yardstick": 4.0,
            "share_of_peak": 0.5,
            "peak_bytes": 10**9,
        }
        assert figures["products"][1]["operations_per_second"]["median"] == 2000
        assert figures["commands"][0]["network_seconds"] == [10, 4, 10]
        assert figures["multiply_adds_per_hr_pixel"] == 500 / 1600
        assert figures["machine"]["cores"] >= 1
        assert figures["missing"] == {"cuda": "no GPU"}


def test_a_machine_names_what_it_runs():
    machine = describe_machine()
    assert machine.cpu
    assert machine.cores >= 1
    assert machine.versions["onnx"] == onnx.__version__
    assert {"python", "numpy", "GDAL", "geosrseg"} <= machine.versions.keys()


class TestProcess:
    def test_it_runs_what_it_loaded(self):
        load = "geosrseg.bench.loads:load_numpy_product"
        with MeasuredProcess("product", load, 8) as process:
            assert 0 < process.seconds() < math.inf
            if sys.platform != "win32":
                assert 10**7 < process.peak_bytes() < 10**10

    def test_what_it_raises_is_raised_here(self, tmp_path):
        load = "geosrseg.bench.loads:load_session"
        with pytest.raises(GeosrsegError, match=r"none\.onnx"):
            MeasuredProcess("model", load, str(tmp_path / "none.onnx"), "cpu", "fp32", 8)

    def test_where_it_is_ended_memory_may_have_run_out(self):
        with pytest.raises(DeviceMemoryError, match="thing: its process was killed"):
            MeasuredProcess("thing", "os:_exit", 1)


def test_matrix_products_are_those_of_the_precisions_that_the_devices_have():
    made = {(each.kind, each.precision) for each in products([("cpu", "fp32"), ("gpu", "fp16")])}
    assert made == {("cpu", "fp32"), ("gpu", "fp16")}
    assert {each.device for each in products([("gpu", "fp16")])} == {"torch"}


def test_pytorch_runs_on_the_gpu_too_where_others_do():
    spec = make_spec()
    assert [each.device for each in yardsticks("slim", spec, {"cpu"}, window=8)] == ["pytorch"]
    assert [each.device for each in yardsticks("slim", spec, {"gpu"}, window=8)] == [
        "pytorch",
        "pytorch cuda",
    ]


def test_without_pytorch_the_full_network_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"geosrseg\[train\]"):
        make_full(DEFAULT_MODEL, tmp_path, window=64)


def test_without_pytorch_the_yardstick_is_missing(monkeypatch, tmp_path, tiny_model):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    subject = find_subject(tiny_model(), tmp_path)
    assert subject.preset is None
    assert subject.why_no_preset == "PyTorch is not installed"


def test_without_a_device_there_is_nothing_to_measure(monkeypatch, tiny_model):
    monkeypatch.setattr(find_device("cuda"), "why_not", lambda: "no GPU here")
    with pytest.raises(DeviceError, match="no GPU here"):
        benchmark(tiny_model(), devices=("cuda",))


def test_a_command_that_fails_says_what_the_command_said(tmp_path, tiny_model):
    with pytest.raises(GeosrsegError, match=r"predict on cpu in fp32 failed: error: .*none\.tif"):
        run_predict(
            tmp_path / "none.tif",
            tmp_path / "out.tif",
            model=tiny_model(),
            device="cpu",
            precision="fp32",
        )


def test_a_shipped_model_has_the_network_of_the_slim_preset(tmp_path):
    subject = find_subject("gewata-4x", tmp_path)
    assert subject.preset == "slim"
    made = read_model_file(tmp_path / "slim.onnx").spec
    assert subject.path == find_model("gewata-4x")
    assert (made.multiple, made.exact_halo) == (subject.spec.multiple, subject.spec.exact_halo)


@pytest.mark.parametrize(
    ("factor", "why"),
    [
        (1, "tiny has not the network of the slim preset"),
        (5, "the slim preset does not fit: `sr=dbpn`: "),
    ],
)
def test_a_factor_that_the_slim_preset_lacks_leaves_the_yardstick_out(
    factor, why, tiny_model, tmp_path
):
    subject = find_subject(tiny_model(upscale_factor=factor), tmp_path)
    assert subject.preset is None
    assert why in subject.why_no_preset


def test_a_tiny_model_is_measured_from_end_to_end(monkeypatch, tiny_model):
    monkeypatch.setitem(SIDES, ("cpu", "fp32"), 64)
    steps = []
    path = tiny_model(window_size=64)
    found = benchmark(path, size=(24, 30), devices=("cpu",), repeats=2, on_step=steps.append)
    assert (found.model, found.window, found.scene) == ("tiny 1", 64, (24, 30))
    assert found.multiply_adds == 64 * 64 * 3 * 3
    (network,), (command,) = found.networks, found.commands
    assert (network.device, network.precision) == ("cpu", "fp32")
    assert len(network.timing.seconds) == len(command.runs) == 2
    assert all(0 < run.network_seconds < run.seconds for run in command.runs)
    assert {each.library for each in found.products} >= {"numpy"}
    assert "not the network of the slim preset" in found.missing["pytorch"]
    assert "predict on cpu fp32, run 2 of 2" in steps
    assert not Path(path).with_name("classes.tif").exists()


def test_what_does_not_load_is_missing_and_the_rest_runs(tmp_path, tiny_model):
    contestants = [
        *networks(tiny_model(), [("cpu", "fp32")], window=8),
        *networks(tmp_path / "none.onnx", [("openvino", "fp32")], window=8),
    ]
    results, missing = run_in_turn(contestants, repeats=1, on_step=lambda _: None)
    assert [each.device for each in results] == ["cpu"]
    assert "none.onnx" in missing["openvino fp32"]
