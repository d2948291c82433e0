import hashlib
from pathlib import Path

import pytest

from geosrseg.errors import ModelError
from geosrseg.runtime import shipped_models
from geosrseg.runtime.shipped_models import (
    check_shipped,
    find_model,
    list_models,
    verify_models,
)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Make a weights folder with one model and its checksum."""
    (tmp_path / "one.onnx").write_bytes(b"1")
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(b'1').hexdigest()}  one.onnx\n")
    monkeypatch.setattr(shipped_models, "weights_folder", lambda: tmp_path)
    return tmp_path


def test_models_are_found_by_name_and_by_path(weights, tmp_path):
    assert find_model("one") == weights / "one.onnx"
    other = tmp_path / "other.onnx"
    other.touch()
    assert find_model(other) == find_model(str(other)) == other


@pytest.mark.parametrize("model", ["two", "folder/two.onnx", Path("one")])
def test_an_unknown_model_names_the_shipped_ones(weights, model):
    with pytest.raises(ModelError, match=r"expected FILE.onnx or a shipped one \(one\)"):
        find_model(model)


def test_intact_models_are_verified(weights):
    assert [model.name for model in verify_models()] == ["one"]


@pytest.mark.parametrize("damage", ["changed", "missing", "unlisted"])
def test_what_is_not_as_listed_is_named(weights, monkeypatch, damage):
    monkeypatch.setattr(shipped_models, "DEFAULT_MODEL", "one")
    if damage == "changed":
        (weights / "one.onnx").write_bytes(b"2")
    if damage == "missing":
        (weights / "one.onnx").unlink()
    if damage == "unlisted":
        (weights / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match=r"^one: not the file that .*: reinstall geosrseg"):
        verify_models()


def test_a_model_that_the_wheel_does_not_carry_is_named_with_where_it_is(weights):
    (weights / "one.onnx").unlink()
    assert verify_models() == ()
    with pytest.raises(ModelError, match=r"one is not in this installation, which contains landc"):
        find_model("one")


def test_a_shipped_model_that_was_changed_is_not_loaded(weights, tmp_path):
    check_shipped(weights / "one.onnx", hashlib.sha256(b"1").hexdigest())
    with pytest.raises(ModelError, match="does not match SHA256SUMS"):
        check_shipped(weights / "one.onnx", hashlib.sha256(b"2").hexdigest())


def test_a_users_own_model_may_have_any_hash(weights, tmp_path):
    check_shipped(tmp_path / "elsewhere" / "one.onnx", hashlib.sha256(b"2").hexdigest())


def test_the_models_of_this_package_are_intact():
    assert verify_models() == list_models()
