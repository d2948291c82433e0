"""The fine-tuning of docs/models.md on a small scale: other classes, on six bands."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from tests.tiny_datasets import write_raster

PAGE = Path(__file__).parents[2] / "docs/models.md"
BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
SHORT = "--epochs 1 --chips-per-epoch 2 --batch-size 2 --crop 96 --precision fp32"
CARD = """
name = "mine"

[bands]
blue = [0.0, 1.0]
green = [0.0, 1.0]
red = [0.0, 1.0]
nir = [0.0, 1.0]
swir1 = [0.0, 1.0]
swir2 = [0.0, 1.0]

[[classes]]
id = 1
name = "water"

[[classes]]
id = 2
name = "vines"

[[sources]]
name = "mine"
image = "*_image.tif"
reference = "*_labels.tif"
labels = "lr"
reflectance = "surface"
validation = ["b_*"]
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "always::geosrseg.errors.RunWarning"),
]


def shown() -> list[list[str]]:
    """The commands in the first block of the page's section, split into words."""
    section = PAGE.read_text(encoding="utf-8").partition("## Classes of your own")[2]
    block = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0].replace("\\\n", " ")
    return [shlex.split(line)[1:] for line in block.splitlines()]


def write_data(folder: Path) -> None:
    """Two images of 64 pixels, water on the left and vines on the right, labelled at 30 m."""
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        labels = np.where(np.arange(64) < 32, 1, 2) * np.ones((64, 1))
        image = np.where(labels == 1, 300, 2500) + random.normal(0, 50, (6, 64, 64))
        write_raster(folder / f"{name}_image.tif", image.astype(np.int16), names=BANDS)
        write_raster(folder / f"{name}_labels.tif", labels.astype(np.uint8)[None])
    (folder / "CARD.toml").write_text(CARD, encoding="utf-8")


def test_from_the_shipped_model_to_a_map_of_own_classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)
    train, export = shown()
    done = CliRunner().invoke(main, [*train, *shlex.split(SHORT)])
    assert done.exit_code == 0, done.output
    assert "these start at random: class vines" in (done.stderr)
    assert len(json.loads(Path("runs/mine/config.json").read_text())["init"]) == 1
    done = CliRunner().invoke(main, export)
    assert done.exit_code == 0, done.output
    words = ["predict", "b_image.tif", "--model", "mine.onnx", "-o", "map.tif", "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert Path("map.tif").is_file()
