"""``geosrseg models``, on a weights folder of tiny models."""

import hashlib
import json
import shutil

import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.runtime import shipped_models
from geosrseg.runtime.shipped_models import DEFAULT_MODEL


@pytest.fixture
def weights(tmp_path, monkeypatch, tiny_model):
    """A weights folder with the default model and another one."""
    folder = tmp_path / "weights"
    folder.mkdir()
    sums = []
    for name in (DEFAULT_MODEL, "tiny"):
        path = folder / f"{name}.onnx"
        shutil.move(tiny_model(name=name), path)
        sums.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))
    monkeypatch.setattr(shipped_models, "weights_folder", lambda: folder)
    return folder


def run(*args):
    return CliRunner().invoke(main, ["models", *args], catch_exceptions=False)


@pytest.mark.parametrize("args", [[], ["list"]])
def test_list_names_every_model_and_marks_the_default(weights, args):
    result = run(*args)
    first, second = result.stdout.splitlines()
    assert result.exit_code == 0
    assert first.startswith(DEFAULT_MODEL)
    assert first.endswith("(default)")
    assert second.startswith("tiny ")
    assert "default" not in second


def test_list_as_json(weights):
    models = json.loads(run("list", "--json").stdout)["models"]
    assert [(m["name"], m["default"]) for m in models] == [(DEFAULT_MODEL, True), ("tiny", False)]


def test_show_says_what_the_model_is(weights):
    result = run("show", "tiny")
    assert result.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines["name"].startswith("tiny ")
    assert str(weights / "tiny.onnx") in lines["file"]
    assert lines["licence"]
    assert "#" in lines["classes"]


def test_show_takes_a_file(weights):
    assert run("show", str(weights / "tiny.onnx")).stdout == run("show", "tiny").stdout


def test_show_as_json_is_the_model_spec_and_its_file(weights):
    shown = json.loads(run("show", "tiny", "--json").stdout)
    assert shown["path"] == str(weights / "tiny.onnx")
    assert shown["name"] == "tiny"
    assert shown["legend"][0].keys() == {"id", "name", "colour"}


def test_show_of_an_unknown_model_names_the_known_ones(weights):
    result = run("show", "nope")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: no model 'nope'")
    assert DEFAULT_MODEL in result.stderr


def test_verify_says_that_the_files_are_intact(weights):
    result = run("verify")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        [DEFAULT_MODEL, "intact"],
        ["tiny", "intact"],
    ]
    verified = json.loads(run("verify", "--json").stdout)["models"]
    assert [model["name"] for model in verified] == [DEFAULT_MODEL, "tiny"]


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_verify_finds_a_damaged_file(weights, damage):
    path = weights / f"{DEFAULT_MODEL}.onnx"
    if damage == "changed":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        path.unlink()
    result = run("verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {DEFAULT_MODEL}: ")
    assert "reinstall geosrseg" in result.stderr


def test_verify_of_no_models_at_all_fails(weights):
    for path in weights.iterdir():
        path.unlink()
    result = run("verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: no model was shipped: reinstall geosrseg\n"


def test_show_as_a_stac_item():
    result = CliRunner().invoke(main, ["models", "show", "gewata-4x", "--stac"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["properties"]["mlm:name"] == "gewata-4x"
