import copy
import hashlib
import json
from dataclasses import replace

import onnx
import pytest
import torch
from onnx import numpy_helper

from geosrseg.core.spec import SPEC_KEY
from geosrseg.errors import ModelError, OutputError
from geosrseg.runtime.session import open_session
from geosrseg.training.finishing import export as export_module
from geosrseg.training.finishing.export import export_network
from tests.tiny_networks import spec_of, tiny_config, tiny_network


@pytest.mark.parametrize(
    "changes",
    [
        {"residual": True},
        {"protocol": "lr", "upscale_factor": 8},
        {"protocol": "hr", "upscale_factor": 1},
    ],
    ids=["end-to-end", "lr", "hr"],
)
def test_a_network_becomes_a_model_file(tmp_path, changes):
    config = tiny_config(**changes)
    output = tmp_path / "model.onnx"
    report = export_network(tiny_network(config), spec_of(config), output)
    assert report.path == output
    assert report.label_agreement >= 0.999
    assert report.sr_error <= 1e-4
    assert report.size_bytes == output.stat().st_size
    assert report.sha256 == hashlib.sha256(output.read_bytes()).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    with open_session(output, device="cpu") as session:
        assert session.spec == spec_of(config)
        assert session.sha256 == report.sha256


def test_the_same_network_gives_the_same_file(tmp_path):
    config = tiny_config()
    for name in ("a.onnx", "b.onnx"):
        export_network(tiny_network(config), spec_of(config), tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_file_that_computes_something_else_is_not_written(tmp_path, monkeypatch):
    config = tiny_config(protocol="lr")

    def build_wrongly(network, spec):
        model = build_onnx(network, spec)
        weights = model.graph.initializer[1]
        array = numpy_helper.to_array(weights) * 1.5
        weights.CopyFrom(numpy_helper.from_array(array, weights.name))
        return model

    build_onnx = export_module.build_onnx
    monkeypatch.setattr(export_module, "build_onnx", build_wrongly)
    with pytest.raises(ModelError, match="was not written: its labels agree"):
        export_network(tiny_network(config), spec_of(config), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_spec_of_another_network_is_refused_and_leaves_nothing(tmp_path):
    config = tiny_config(protocol="lr")
    spec = replace(spec_of(config), upscale_factor=2)
    with pytest.raises(ModelError, match=r"is refused: .* the ModelSpec says"):
        export_network(tiny_network(config), spec, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_overwritten(tmp_path):
    config = tiny_config(protocol="lr")
    network, spec = tiny_network(config), spec_of(config)
    output = tmp_path / "model.onnx"
    output.write_text("precious")
    with pytest.raises(OutputError, match="overwrite=True"):
        export_network(network, spec, output)
    assert output.read_text() == "precious"
    export_network(network, spec, output, overwrite=True)
    onnx.checker.check_model(output)


@pytest.mark.parametrize("name", ["model.pth", "missing/model.onnx"])
def test_impossible_outputs_are_refused(tmp_path, name):
    config = tiny_config(protocol="lr")
    with pytest.raises(OutputError):
        export_network(tiny_network(config), spec_of(config), tmp_path / name)


def test_the_metadata_is_plain_json(tmp_path):
    config = tiny_config(protocol="lr")
    export_network(tiny_network(config), spec_of(config), tmp_path / "model.onnx")
    (entry,) = onnx.load(tmp_path / "model.onnx").metadata_props
    assert entry.key == SPEC_KEY
    assert json.loads(entry.value)["upscale_factor"] == 4


def test_classes_that_are_equal_but_for_rounding_are_not_compared(tmp_path):
    """As after a few steps of training: between the two a label is a coin."""
    config = tiny_config()
    network = tiny_network(config)
    with torch.no_grad():
        for values in (network.seg.classifier.weight, network.seg.classifier.bias):
            values[1] = values[0] * (1 + 2**-22)
    report = export_network(network, spec_of(config), tmp_path / "m.onnx")
    assert report.label_agreement >= 0.999
    assert report.compared < 0.9


def test_where_no_label_is_certain_the_probabilities_are_compared(tmp_path, monkeypatch):
    """Before any training: a right file is written, and a wrong one is not."""
    config = tiny_config(protocol="lr")
    network = tiny_network(config)
    with torch.no_grad():
        network.seg.classifier.weight[1:] = network.seg.classifier.weight[:1]
        network.seg.classifier.bias[1:] = network.seg.classifier.bias[:1]
    assert export_network(network, spec_of(config), tmp_path / "m.onnx").compared == 0
    wrong = copy.deepcopy(network)
    with torch.no_grad():
        wrong.seg.classifier.bias[0] += 0.01
    model = export_module.build_onnx(wrong, spec_of(config))
    monkeypatch.setattr(export_module, "build_onnx", lambda *_: model)
    with pytest.raises(ModelError, match=r"its probabilities differ by .* \(expected 1e-04\)"):
        export_network(network, spec_of(config), tmp_path / "wrong.onnx")


def test_an_undertrained_network_of_nearly_equal_logits_passes(tmp_path):
    config = tiny_config()
    network = tiny_network(config)
    with torch.no_grad():
        network.seg.classifier.weight.mul_(1e-3)
        network.seg.classifier.bias.zero_()
    assert export_network(network, spec_of(config), tmp_path / "m.onnx").label_agreement >= 0.999
