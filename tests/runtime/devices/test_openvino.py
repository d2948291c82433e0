import sys

import numpy as np
import pytest

from geosrseg.runtime.devices import openvino
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.shipped_models import find_model

installed = pytest.mark.skipif(
    openvino.OpenVino().why_not() is not None, reason="OpenVINO is not here"
)


def test_a_missing_package_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert openvino.OpenVino().why_not() == (
        "the package openvino is not installed: run python -m pip install 'geosrseg[cpu]'"
    )


def test_a_package_that_does_not_load_is_no_missing_package(monkeypatch, tmp_path):
    (tmp_path / "openvino.py").write_text("raise ImportError('libtbb.so: no such file')")
    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert "does not load (libtbb.so: no such file)" in str(openvino.OpenVino().why_not())


@installed
def test_few_shapes_are_kept(tiny_model):
    """Each holds the memory of its window."""
    backend = openvino.OpenVino().load(read_model_file(tiny_model()), precision="fp32", threads=1)
    for width in (8, 16, 8, 24, 32, 8):
        (answer,) = backend.run(["sr"], np.zeros((1, 3, 8, width), np.float32))
        assert answer.shape == (1, 3, 32, 4 * width)
        assert len(backend._compiled) <= openvino.KEPT


@installed
def test_after_a_failure_no_memory_is_held(tiny_model):
    backend = openvino.OpenVino().load(read_model_file(tiny_model()), precision="fp32", threads=1)
    backend.run(["probabilities", "sr"], np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(RuntimeError):
        backend.run(["probabilities", "sr"], np.zeros((1, 4, 8, 8), np.float32))
    assert not backend._compiled


@installed
@pytest.mark.parametrize(("name", "kept"), [("landcover-3x", 1), ("gewata-4x", 2)])
def test_a_branch_that_nobody_asks_for_is_not_computed(name, kept):
    """Compact's SR image is one; that of D-DBPN is what SegNet reads."""
    file = read_model_file(find_model(name))
    backend = openvino.OpenVino().load(file, precision="fp32", threads=1)
    size, bands = 4 * file.spec.multiple, len(file.spec.bands)
    lr = np.random.default_rng(0).random((1, bands, size, size), np.float32)
    both = backend.run(["probabilities", "sr"], lr)
    (alone,) = backend.run(["probabilities"], lr)
    assert np.allclose(alone, both[0], atol=1e-5)
    compiled = {outputs: each for (outputs, _), each in backend._compiled.items()}
    assert len(compiled["probabilities", "sr"].outputs) == 2
    assert len(compiled["probabilities",].outputs) == kept
