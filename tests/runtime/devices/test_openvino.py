import sys

import numpy as np
import pytest

from geosrseg.runtime.devices import openvino
from geosrseg.runtime.model.model_file import read_model_file

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
    backend.run(["sr"], np.zeros((1, 3, 8, 8), np.float32))
    with pytest.raises(RuntimeError):
        backend.run(["sr"], np.zeros((1, 4, 8, 8), np.float32))
    assert not backend._compiled
