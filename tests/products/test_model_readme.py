"""The README of a model, as the Hub and a reader see it."""

import shlex
from dataclasses import replace

import pytest

from geosrseg.core.domain import Domain
from geosrseg.products.model_readme import model_readme
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.model_address import ModelAddress
from tests.tiny_models import make_onnx, make_spec

yaml = pytest.importorskip("yaml")

SPEC = replace(
    make_spec(),
    licence="CC BY-SA 4.0 (the labels' licence)",
    training_data="squares: made up",
    limits="Squares | only.\nNo <b>circles</b>.",
    metrics={
        "overall_accuracy": 0.75,
        "mean_iou": 0.5,
        "cities/mean_iou": 0.25,
        "psnr": 30.0,
    },
    confusion=((3, 1, 0), (1, 3, 0), (0, 0, 0)),
    domain=Domain(resolution=30.0, sensors=("OLI", "8"), reflectance="both", region="Kafa"),
)


@pytest.fixture
def card(tmp_path):
    """The metadata and the text of a model's card."""

    def card(spec=SPEC, *, name="mine.onnx"):
        path = tmp_path / name
        path.write_bytes(make_onnx(spec).SerializeToString())
        file = read_model_file(path)
        _, front, text = model_readme(file).split("---\n", 2)
        return yaml.safe_load(front), text, file

    return card


def test_the_metadata_is_what_the_hub_lists_models_by(card):
    front, _, _ = card()
    assert front["license"] == "cc-by-sa-4.0"
    assert (front["library_name"], front["pipeline_tag"]) == ("geosrseg", "image-segmentation")
    assert {"onnx", "remote-sensing", "oli", "8"} <= set(front["tags"])
    (model,) = front["model-index"]
    (result,) = model["results"]
    assert result["task"] == {"type": "image-segmentation"}
    assert result["dataset"]["name"] == "squares: made up, validation"
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {"overall_accuracy": 0.75, "mean_iou": 0.5}


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("mine.onnx", "mine.onnx"),
        ("my model's #2 (50%).onnx", "my%20model%27s%20%232%20%2850%25%29.onnx"),
        ("forêt.onnx", "for%C3%AAt.onnx"),
    ],
)
def test_the_line_to_use_it_is_one_that_predict_takes(card, name, encoded):
    _, text, file = card(name=name)
    line = next(line for line in text.splitlines() if line.startswith("geosrseg predict"))
    address = ModelAddress.of(shlex.split(line)[-1])
    assert address.sha256 == file.sha256
    assert address.url.endswith(f"/OWNER/REPO/resolve/main/{encoded}")


def test_the_text_has_bands_classes_and_figures(card):
    _, text, _ = card()
    for words in (
        "30 m become 7.5 m",
        "| band 1 | 0 to 1 |",
        "| 1 | class 1 | ",
        "| class 1 | 0.750 | 0.750 | 0.600 |",
        "| class 3 |  |  |  |",
        "| all | 0.750 | 0.500 |",
        "| cities |  | 0.250 |",
        "surface or top of atmosphere",
        "- region: Kafa",
    ):
        assert words in text


def test_what_a_model_says_is_text_and_no_markup(card):
    _, text, _ = card()
    assert r"Squares \| only." in text
    assert r"No \<b\>circles\</b\>." in text


def test_another_licence_has_its_name_and_unknown_figures_no_table(card):
    front, text, _ = card(make_spec(licence='My "own": terms'))
    assert (front["license"], front["license_name"]) == ("other", 'My "own": terms')
    assert card(make_spec(licence=""))[0]["license"] == "unknown"
    assert "model-index" not in front
    assert "## Figures" not in text
