"""A small labelled dataset, and models of its bands and classes whose maps are known."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.core.normalize import Normalization
from geosrseg.datasets.card.card import read_card
from tests.tiny_datasets import BANDS, write_dataset
from tests.tiny_models import make_onnx, make_spec

LEGEND = Legend((LegendClass(1, "dark", "#222222"), LegendClass(4, "bright", "#eeeeee")))
NORMALIZATION = Normalization((0.0, 0.0), (0.5, 1.0), (0.5, 0.5))


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr("geosrseg.evaluation.measured_dataset.RESAMPLES", 200)


@pytest.fixture
def card(tmp_path):
    """One scene of 160 x 192 pixels, left half train, right half validation.

    Its squares of 21 pixels are cut by LR pixels: no map of a degraded image is perfect.
    """
    return read_card(write_dataset(tmp_path, side=21), data=tmp_path)


@pytest.fixture
def model(tmp_path):
    """Write a model file, ``model(reach=2, ...)``: bright is what is above the middle."""
    numbers = itertools.count()

    def write(*, reach: int = 0, **spec) -> Path:
        path = tmp_path / f"model-{next(numbers)}.onnx"
        values = {"bands": BANDS, "legend": LEGEND, "normalization": NORMALIZATION, **spec}
        made = replace(make_spec(bands=2, classes=2), **values)
        path.write_bytes(make_onnx(made, reach=reach).SerializeToString())
        return path

    return write
