"""Every card in the documentation can be read."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from geosrseg.core.legend import NODATA
from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from tests.shared_data import shared

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGE = (DOCS / "datasets.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r'```toml\n(name = "(?P<name>[^"]+)".*?)```', PAGE, re.DOTALL))
CARDS = [*SHOWN, *(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*/*.toml")))]


def touch_files(values, folder):
    """Make every file of a card; a wildcard stands for ``a``."""
    for scene in values.get("scenes", []):
        for key in ("image", "reference", "split", "lr"):
            path = folder / scene.get(key, "image").replace("*", "a")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    for source in values.get("sources", []):
        for name in source.get("validation", ["a"]):
            for key in ("image", "reference"):
                path = folder / source[key].replace("*", name.replace("*", "a"))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        if "splits" in source:
            (folder / source["splits"]).write_text("chip,group,split\na,1,train\n")


def test_three_examples_are_shown():
    assert len(SHOWN) == 3


@pytest.mark.parametrize("text", CARDS, ids=lambda text: tomllib.loads(text)["name"])
def test_every_card_is_read(text, tmp_path):
    values = tomllib.loads(text)
    touch_files(values, tmp_path)
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    card = read_card(path, data=tmp_path)
    assert card.name == values["name"]
    for key in ("scenes", "sources"):
        assert len(getattr(card, key)) >= len(values.get(key, []))
    assert len(card.legend) == len(values["classes"])


def test_every_key_has_a_line():
    """Every key in the source of the parser has a row in the page's table."""
    parser = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "geosrseg" / "datasets" / "card").glob("*.py")
        if path.name in ("card.py", "card_scene.py", "image_format.py", "source.py")
    )
    known = set(re.findall(r"table\.only\(\(([^)]*)\)\)|entry\.only\(\(([^)]*)\)\)", parser))
    keys = {key for found in known for text in found for key in re.findall(r'"(\w+)"', text)}
    for part in parser.split("_KEYS = (")[1:]:
        keys |= set(re.findall(r'"(\w+)"', part.split("\n)")[0]))
    assert {"guard", "validation_block", "nodata", "reference", "lr_image", "chip_grid"} <= keys
    rows = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    missing = [key for key in sorted(keys) if not re.search(rf"`\[*{key}\]*`", rows)]
    assert not missing


@pytest.mark.slow
def test_dubai_is_what_its_card_says():
    data = shared("dubai")
    card = read_card(DOCS / "datasets" / "dubai.toml", data=data)
    assert [
        sum(scene.split == split for scene in card.scenes)
        for split in ("train", "validation", "test")
    ] == [36, 18, 9]
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        tested = {
            scene.path.stem: [scene.read_target(strip, "test") for strip in scene.strips()]
            for scene in scenes
            if scene.split.source == "test"
        }
    counts = np.zeros(256, int)
    for name, strips in tested.items():
        target = np.concatenate(strips)
        if name in ("image_part_001", "image_part_002", "image_part_003"):
            assert (target[:800] == NODATA).all()
        assert (target[800:] != NODATA).any()
        counts += np.bincount(target.ravel(), minlength=256)
    assert counts[1] / counts[:5].sum() == pytest.approx(0.76, abs=0.01)  # land


def test_landcover_is_what_its_card_says():
    """No city, place or group of chips is in two splits."""
    card = read_card(DOCS / "datasets" / "landcover.toml", data=shared("landcover"))
    files = {source.name: source.files for source in card.sources}
    counts = {
        name: [sum(file.split == split for file in own) for split in ("train", "validation")]
        for name, own in files.items()
    }
    assert counts == {
        "hls30": [199, 46],
        "cities": [23, 6],
        "rural": [23, 3],
        "world": [15, 4],
        "world_toa": [3, 0],
        "finland": [3, 1],
    }
    # Parts of one city, and images of one place at two dates, have similar names.
    beside = {"bercy": "paris", "saclay_e": "saclay", "saclay_w": "saclay"}
    for name, ends in (("cities", 1), ("finland", 1)):
        places: dict[str, set[str]] = {}
        for file in files[name]:
            place = file.image.stem.rsplit("_", ends)[0]
            places.setdefault(beside.get(place, place), set()).add(file.split)
        assert all(len(splits) == 1 for splits in places.values())
    assert not any(
        "_dw" in file.image.stem or "_esri" in file.image.stem for file in files["world"]
    )
