from dataclasses import replace
from pathlib import Path

import pytest

from geosrseg.datasets.card.card import read_card
from geosrseg.training.run_folder.run import default_run
from tests.tiny_datasets import write_dataset
from tests.tiny_networks import tiny_config


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("coffee", {}, "coffee-end-to-end-4x"),
        ("coffee", {"protocol": "lr", "upscale_factor": 8}, "coffee-lr-8x"),
        ("coffee", {"protocol": "hr", "upscale_factor": 1}, "coffee-hr-1x"),
        ("Kafa 2001 / A", {}, "Kafa-2001-A-end-to-end-4x"),
        ("../..", {}, "dataset-end-to-end-4x"),
    ],
)
def test_a_run_is_called_as_what_is_trained(tmp_path, name, changes, expected):
    card = replace(read_card(write_dataset(tmp_path), data=tmp_path), name=name)
    assert default_run(card, tiny_config(**changes)) == Path("runs") / expected
