"""``reproduce`` as a user types it."""

import json

import click
import pytest
from click.testing import CliRunner

from geosrseg.cli.learning.reproduce import reproduce
from geosrseg.cli.main import main
from geosrseg.networks.framework import PROTOCOLS
from tests.tiny_datasets import write_dataset

TINY = (
    "--preset slim --epochs 1 --chips-per-epoch 4 --batch-size 4 --crop 64 --sr-base 4 "
    "--seg-width 0.0625 --precision fp32 --no-class-offsets --averaging 0"
)


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def data(tmp_path):
    return ["--dataset", write_dataset(tmp_path), "--data", tmp_path]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_from_a_dataset_to_the_papers_tables(tmp_path, data):
    folder = tmp_path / "all"
    words = ["--protocols", "lr,end-to-end", "--upscale", "4", "--split", "validation"]
    done = run("reproduce", *data, "-o", folder, *words, *TINY.split())
    assert done.exit_code == 0, done.stderr
    steps = [line for line in done.stderr.splitlines() if line[:2] in ("1/", "2/", "3/")]
    assert steps == [
        "1/3 train lr-4x",
        "2/3 train end-to-end-4x",
        "3/3 evaluate",
    ]
    assert "| lr-4x | " in done.stdout
    assert done.stdout.endswith(f"{folder / 'report' / 'report.html'}\n")
    plan = json.loads((folder / "plan.json").read_text())
    assert (plan["protocols"], plan["upscale_factors"]) == (["lr", "end-to-end"], [4])

    other = run("reproduce", *data, "-o", folder, *words, *TINY.split(), "--alpha", "0.5")
    assert other.exit_code == 1
    assert "was started with alphas [], not [0.5]" in other.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("--upscale 5", 2, "'5' is not one of"),
        ("--protocols both", 2, "'both' is not one of"),
        ("--alpha 1,x", 2, "'x' is not a valid float"),
        ("--alpha 1,2", 1, "give both --alpha and --beta"),
        ("--protocols lr,lr", 1, "expected distinct values"),
        ("--crop 100", 1, "--crop is a multiple of 32"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    tmp_path, data, words, code, message
):
    result = run("reproduce", *data, "-o", tmp_path / "all", *words.split())
    assert result.exit_code == code
    assert message in result.stderr
    assert not (tmp_path / "all").exists()


def test_the_default_is_all_of_the_papers_protocols():
    with click.Context(reproduce) as context:
        defaults = {p.name: p.get_default(context) for p in reproduce.params}
    assert sorted(defaults["protocols"].split(",")) == sorted(PROTOCOLS)
