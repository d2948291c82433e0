"""Device and logs of a training, which are not part of what a run is."""

import csv

import pytest

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import RunError
from geosrseg.networks.presets import configure
from geosrseg.training.surroundings import Surroundings
from geosrseg.training.train import train
from tests.tiny_datasets import write_dataset


def test_a_run_logs_to_all_that_is_asked_for(tmp_path):
    card = read_card(write_dataset(tmp_path), data=tmp_path)
    small = {"epochs": 2, "chips_per_epoch": 2, "batch_size": 2, "chip_size": 32, "sr": "espcn"}
    network, recipe = configure(
        "slim", protocol="end-to-end", bands=2, classes=2, upscale_factor=2,
        replaced=small | {"seg_width": 0.0625, "precision": "fp32", "averaging": 0.0},
    )  # fmt: skip
    around = Surroundings(device="cpu", loggers=("csv",), workers=0)
    run = train(card, tmp_path / "run", network=network, recipe=recipe, surroundings=around)
    (table,) = (run.path / "logs").rglob("metrics.csv")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(bool(row["val/mean_iou"]) for row in rows) == 2
    assert list((run.path / "tensorboard").iterdir())
    run.remove()  # the logs are a part of the run
    assert not run.path.exists()


@pytest.mark.parametrize("names", ["CSV, mlflow", ("csv", "mlflow")])
def test_names_of_loggers_as_a_text_or_one_by_one(names):
    assert Surroundings(loggers=names).loggers == ("csv", "mlflow")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"device": "tpu"}, "`device` 'tpu': expected one of auto, cpu, cuda, mps"),
        ({"workers": -1}, "`workers` -1: expected a whole number of at least 0"),
    ],
)
def test_what_no_machine_has(values, message):
    with pytest.raises(RunError, match=message):
        Surroundings(**values)
