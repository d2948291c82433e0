"""Tests that model files that are not shipped are tried in a child process."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import onnx
import psutil
import pytest
from onnx import helper, numpy_helper

from geosrseg.core.spec import SPEC_KEY
from geosrseg.errors import DeviceError, ModelError
from geosrseg.runtime import trial
from geosrseg.runtime.devices.device import Device
from geosrseg.runtime.session import open_session
from geosrseg.runtime.shipped_models import find_model
from tests.tiny_models import make_onnx, make_spec

pytestmark = pytest.mark.usefixtures("tried_apart")

node = helper.make_node


def with_nodes(*nodes, **constants) -> bytes:
    """Make the tiny model with nodes that compute a value `x`, which its output depends on."""
    model = make_onnx(make_spec())
    model.graph.node[-1].output[0] = "quiet"
    model.graph.node.extend(nodes)
    model.graph.node.append(node("ReduceMax", ["x"], ["top"], keepdims=0))
    model.graph.node.append(node("Mul", ["quiet", "top"], ["sr"]))
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    return model.SerializeToString()


def folding() -> bytes:
    """Make constants whose multiplication takes minutes while the model loads."""
    chain = [node("MatMul", [f"m{i}"] * 2, [f"m{i + 1}"]) for i in range(200)]
    return with_nodes(
        node("Expand", ["one", "size"], ["m0"]),
        *chain,
        node("Identity", ["m200"], ["x"]),
        one=np.ones((1, 1), np.float32),
        size=[6000, 6000],
    )


def one_node() -> bytes:
    """Make one layer that runs for hours and cannot be interrupted."""
    return with_nodes(
        node("Resize", ["lr", "", "factors"], ["big"], mode="nearest"),
        node("MaxPool", ["big"], ["x"], kernel_shape=[1023, 1023], pads=[511] * 4),
        factors=np.array([1, 1, 64, 64], np.float32),
    )


@pytest.mark.parametrize("make", [folding, one_node])
@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_what_would_never_end_is_refused(tmp_path, monkeypatch, make, device):
    monkeypatch.setattr(Device, "loading_seconds", 3)
    path = tmp_path / "model.onnx"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"model.onnx is refused: .* \(not within 3 s"):
        open_session(path, device=device)


def test_a_signal_ends_a_trial(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(one_node())
    words = ["predict", tmp_path / "s.tif", "-m", path, "-o", tmp_path / "o.tif"]
    command = [sys.executable, "-P", "-m", "geosrseg", *map(str, words)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not psutil.Process(process.pid).children():
        time.sleep(0.01)  # until the trial has begun, however busy the machine is
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors


def test_an_honest_model_is_tried_once(tiny_model, monkeypatch):
    calls = []
    path = tiny_model(name="honest")
    with open_session(path, device="cpu") as session:
        assert session.spec.name == "honest"
    monkeypatch.setattr(trial, "run_apart", lambda *args, **kwargs: calls.append(args))
    open_session(path, device="cpu").close()
    assert not calls


def test_a_shipped_model_is_not_tried(monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise AssertionError(args)

    monkeypatch.setattr(trial, "run_apart", refuse)
    copy = tmp_path / "copy.onnx"  # known by its hash, wherever it lies
    copy.write_bytes(find_model("gewata-4x").read_bytes())
    open_session(copy, device="cpu").close()


def test_what_the_trial_finds_is_said_as_before(tmp_path, tiny_model):
    path = tiny_model()
    model = onnx.load(path)
    spec = make_spec(upscale_factor=8)
    next(item for item in model.metadata_props if item.key == SPEC_KEY).value = spec.to_json()
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"tiny.onnx is refused: .*the ModelSpec says"):
        open_session(path, device="cpu")


def test_a_device_that_is_not_there(tiny_model):
    with pytest.raises(DeviceError, match="device tensorrt cannot be used"):
        open_session(tiny_model(), device="tensorrt")
