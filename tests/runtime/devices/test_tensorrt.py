from pathlib import Path

import pytest

from geosrseg.errors import DeviceError
from geosrseg.runtime.devices import cuda, tensorrt
from geosrseg.runtime.model.model_file import read_model_file
from tests.tiny_models import make_spec


@pytest.mark.parametrize(
    ("providers", "no_cuda", "libraries", "reason"),
    [
        (["CPUExecutionProvider"], None, True, "this onnxruntime has no TensorRT provider"),
        ([tensorrt.PROVIDER], "no GPU", True, "no GPU"),
        ([tensorrt.PROVIDER], None, False, f"{tensorrt.LIBRARIES[0]} was not found: install"),
        ([tensorrt.PROVIDER], None, True, "None"),
    ],
)
def test_the_reason_names_what_is_missing(monkeypatch, providers, no_cuda, libraries, reason):
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)
    monkeypatch.setattr(cuda.Cuda, "why_not", lambda _: no_cuda)
    monkeypatch.setattr(tensorrt, "_load_libraries", lambda: libraries)
    assert str(tensorrt.TensorRt().why_not()).startswith(reason)


def test_the_profile_reaches_from_the_smallest_window_to_those_of_exact_seams():
    spec = make_spec(bands=6, multiple=8, window_size=256, halo=24, exact_halo=70)
    assert tensorrt.profile(spec) == {
        "trt_profile_min_shapes": "lr:1x6x8x8",
        "trt_profile_opt_shapes": "lr:1x6x512x512",
        "trt_profile_max_shapes": "lr:4x6x512x512",
    }


def test_engines_are_kept_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("GEOSRSEG_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tensorrt.cache_folder() == tmp_path / "geosrseg" / "tensorrt"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert tensorrt.cache_folder() == Path.home() / ".cache" / "geosrseg" / "tensorrt"


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(monkeypatch, tmp_path, tiny_model):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DeviceError, match=r"file.* cannot be made .*: set GEOSRSEG_CACHE"):
        tensorrt.TensorRt().load(read_model_file(tiny_model()), precision="fp32", threads=None)
