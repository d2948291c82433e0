"""Each image validates in one fold, and common ground never in two."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.folds.fold import NO_FOLD, Fold
from geosrseg.datasets.folds.folded_card import _parts, fold_card
from geosrseg.errors import DatasetError
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.tiny_datasets import CARD, write_raster

HEAD = CARD[: CARD.index("[[scenes]]")]


def write_image(folder, name, *, east, side=64, seed=0):
    profile = {"driver": "GTiff", "height": side, "width": side, "crs": "EPSG:32636"}
    transform = Affine(30, 0, 500_000 + 30 * east, 0, -30, 850_000)
    numbers = np.random.default_rng(seed).integers(0, 5000, (2, side, side), np.int16)
    with rasterio.open(
        folder / f"{name}.tif", "w", count=2, dtype="int16", transform=transform, **profile
    ) as file:
        file.write(numbers)
        file.descriptions = ("red", "nir")
        file.scales, file.offsets = (1e-4,) * 2, (0.0,) * 2
    with rasterio.open(
        folder / f"{name}_ref.tif", "w", count=1, dtype="uint8", transform=transform, **profile
    ) as file:
        file.write(np.where(numbers[:1] > 2500, 4, 1).astype(np.uint8))


def scene(name, *, split="train", more=""):
    return (
        f'[[scenes]]\nimage = "{name}.tif"\nreference = "{name}_ref.tif"\nsplit = "{split}"\n{more}'
    )


@pytest.fixture
def card(tmp_path):
    """Six images: a and b overlap, c is a copy of d, and e and f are in one group."""
    for seed, (name, east) in enumerate({"a": 0, "b": 40, "d": 300, "e": 500, "f": 700}.items()):
        write_image(tmp_path, name, east=east, seed=seed)
    for end in ("", "_ref"):
        shutil.copy(tmp_path / f"d{end}.tif", tmp_path / f"c{end}.tif")
    write_image(tmp_path, "t", east=900, seed=9)
    scenes = [
        scene("a"),
        scene("b", split="validation"),
        scene("c"),
        scene("d"),
        scene("e", more='group = "delta"\n'),
        scene("f", more='group = "delta"\nvalidation_block = 16\n'),
        scene("t", split="test"),
    ]
    path = tmp_path / "card.toml"
    path.write_text(HEAD + "\n".join(scenes), encoding="utf-8")
    return read_card(path, data=tmp_path)


def validating(card):
    return {scene.image.stem for scene in card.scenes if scene.split == "validation"}


def test_every_group_validates_once_as_a_whole_and_the_test_images_stay(card):
    parts = [fold_card(card, Fold(folds=3, fold=number)) for number in (1, 2, 3)]
    assert sorted(map(sorted, map(validating, parts))) == [["a", "b"], ["c", "d"], ["e", "f"]]
    for number, part in enumerate(parts, start=1):
        assert part.fold == (number, 3)
        assert [s.image.stem for s in part.scenes if s.split == "test"] == ["t"]
        assert sum(scene.split == "train" for scene in part.scenes) == 4


def test_without_folds_the_dataset_keeps_its_split(card):
    assert fold_card(card, NO_FOLD) is card


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_images_without_a_georeference_stay_together_by_file_and_card_alone(card):
    for path in {path for scene in card.scenes for path in scene.files}:
        with unreferenced_allowed(), rasterio.open(path) as file:
            numbers, names = file.read(), file.descriptions
        named = names if names[0] else ()
        write_raster(path, numbers, names=named, transform=Affine.identity(), crs=None)
    parts = [validating(fold_card(card, Fold(folds=4, fold=n))) for n in (1, 2, 3, 4)]
    assert sorted(map(sorted, parts)) == [["a"], ["b"], ["c", "d"], ["e", "f"]]


def test_more_folds_than_groups_are_refused(card):
    wanted = "6 images of squares that do not test make 3 groups without common ground, expected 4"
    with pytest.raises(DatasetError, match=wanted):
        fold_card(card, Fold(folds=4, fold=1))


def test_a_split_raster_is_refused(card):
    card.scenes[0].image.with_name("split.tif").touch()
    rastered = replace(card.scenes[0], split=card.scenes[0].image.with_name("split.tif"))
    with pytest.raises(DatasetError, match=r"a.tif is split by split.tif, expected images"):
        fold_card(replace(card, scenes=(rastered, *card.scenes[1:])), Fold(folds=2, fold=1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"folds": 1, "fold": 1}, "`folds` 1: expected a whole number from 2 on"),
        ({"folds": 3, "fold": 4}, "`fold` 4: expected 1 to 3"),
        ({"folds": 3}, "`fold` none: expected 1 to 3 of `folds`, the part that validates"),
        ({"fold": 2}, "`fold` 2: give the number of folds too, `folds`"),
    ],
)
def test_what_is_no_fold_is_refused(values, message):
    with pytest.raises(DatasetError, match=message):
        Fold(**values)


def test_folds_have_about_as_many_pixels_each():
    sizes = [9, 1, 1, 1, 8, 4, 4]
    part = _parts(sizes, 3)
    filled = [
        sum(s for s, p in zip(sizes, part, strict=True) if p == number) for number in range(3)
    ]
    assert max(filled) - min(filled) <= 2
