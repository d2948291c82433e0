"""A model file that averages over flips and turns gives the mean of the plain file's answers."""

import numpy as np
import pytest

from geosrseg.networks.halo import exact_halo
from geosrseg.networks.onnx.averaged import Averaged
from geosrseg.runtime.session import open_session
from geosrseg.training.finishing.export import export_network
from tests.tiny_networks import spec_of, tiny_config, tiny_network


@pytest.fixture(params=[{"residual": True}, {"joint": "compact"}], ids=["pair", "compact"])
def config(request):
    return tiny_config(**request.param)


def answers(path, lr):
    with open_session(path, device="cpu") as session:
        return session.run_with_sr(lr)


def image(spec, *, rows, cols):
    size = (2, len(spec.bands), rows * spec.multiple, cols * spec.multiple)
    return np.random.default_rng(3).random(size, np.float32)


def test_flips_are_averaged_in_the_graph(tmp_path, config):
    network, spec = tiny_network(config), spec_of(config)
    export_network(network, spec, tmp_path / "plain.onnx")
    export_network(Averaged(network, "flips"), spec, tmp_path / "tta.onnx")
    lr = image(spec, rows=2, cols=3)
    wanted = [np.zeros(1), np.zeros(1)]
    for axes in ((), (2,), (3,), (2, 3)):
        given = answers(tmp_path / "plain.onnx", np.ascontiguousarray(np.flip(lr, axes)))
        wanted = [
            total + np.flip(each, axes) / 4 for total, each in zip(wanted, given, strict=True)
        ]
    for found, mean in zip(answers(tmp_path / "tta.onnx", lr), wanted, strict=True):
        np.testing.assert_allclose(found, mean, atol=1e-4)


def test_turns_are_those_of_evaluate(tmp_path, config):
    network, spec = tiny_network(config), spec_of(config)
    export_network(network, spec, tmp_path / "plain.onnx")
    export_network(Averaged(network, "turns"), spec, tmp_path / "tta.onnx")
    lr = image(spec, rows=3, cols=2)
    with open_session(tmp_path / "plain.onnx", device="cpu", tta=True) as session:
        wanted = session.run_with_sr(lr)
    for found, mean in zip(answers(tmp_path / "tta.onnx", lr), wanted, strict=True):
        np.testing.assert_allclose(found, mean, atol=1e-4)


def test_a_border_reaches_as_far_as_before(config):
    network = tiny_network(config)
    for poses in ("flips", "turns"):
        averaged = Averaged(network, poses)
        assert exact_halo(averaged) == exact_halo(network)
        assert averaged.multiple == network.multiple
