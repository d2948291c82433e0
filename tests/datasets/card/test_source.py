"""A card of several sources: values read and mistakes refused."""

import re

import pytest

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import DatasetError
from tests.tiny_sources import CARD, write_sources


@pytest.fixture
def card(tmp_path):
    return read_card(write_sources(tmp_path), data=tmp_path)


def test_every_source_has_its_own_meaning(card):
    coarse, fine, packed = card.sources
    assert (coarse.is_lr, fine.is_lr, packed.is_lr) == (True, False, False)
    assert (coarse.weight, fine.weight) == (2, 1)
    assert (fine.reflectance, fine.sensor, fine.confidence_band) == ("toa", "S2A", 2)
    assert (packed.chip_grid, packed.image.nodata, packed.image.radiometry.scale) == (
        24,
        0,
        (0.002, 0.002),
    )
    assert not card.scenes


def test_an_image_without_a_reference_is_not_used(card):
    assert [file.image.name for file in card.sources[1].files] == ["a.tif", "b.tif"]


def test_splits_come_from_a_table_or_a_list(card):
    coarse, fine, packed = ([file.split for file in source.files] for source in card.sources)
    assert coarse == ["train", "train", "validation"]
    assert fine == ["train", "validation"]
    assert packed == ["train"]


def test_a_value_that_is_not_trusted_is_ignored_in_its_source_alone(tmp_path):
    text = CARD.replace("confidence_band = 2", "confidence_band = 2\nignored = [2]")
    coarse, fine, _ = read_card(write_sources(tmp_path, card=text), data=tmp_path).sources
    assert coarse.coding.classes == ((1,), (2,))
    assert fine.coding.classes == ((1,), ())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('labels = "lr"', 'labels = "low"', "labels is 'low', expected one of target, lr"),
        ('sensor = "S2A"', 'sensor = "S3"', "sensor is 'S3', expected one of S2A, S2B"),
        ('labels = "lr"', 'labels = "lr"\nsensor = "S2A"', "whose images are LR images"),
        ('reflectance = "toa"', 'reflectance = "air"', "expected one of surface, toa"),
        ('validation = ["b*"]', 'validation = ["x*"]', "'x*' matches no image"),
        ('validation = ["b*"]', 'validation = ["b*"]\ntest = ["b"]', "in validation and in test"),
        ('validation = ["b*"]', "", "no split, expected one of split, splits"),
        ('name = "fine"', 'name = "coarse"', "one name"),
        ('name = "fine"', 'name = "lr"', "lr and target"),
        ("chip_grid = 24", "chip_grid = 2", "a whole number of 8 or more"),
        ("weight = 2.0", "weight = -1.0", "a number of 0 or more"),
        ("ignored = [0]", "ignored = [0]\nguard = 3", r"[[sources]] and guard"),
        ("chip_grid = 24", "chip_gird = 24", "did you mean chip_grid?"),
    ],
)
def test_a_mistake_is_named(tmp_path, old, new, message):
    path = write_sources(tmp_path, card=CARD.replace(old, new, 1))
    with pytest.raises(DatasetError, match=re.escape(message)):
        read_card(path, data=tmp_path)


def test_a_group_in_two_splits_is_refused(tmp_path):
    path = write_sources(tmp_path)
    table = tmp_path / "coarse/chips.csv"
    table.write_text(table.read_text().replace("c1,1,train", "c1,1,validation"))
    with pytest.raises(DatasetError, match="group 1 is in train and validation"):
        read_card(path, data=tmp_path)


def test_a_reference_without_an_image_is_refused(tmp_path):
    path = write_sources(tmp_path)
    (tmp_path / "fine/a.tif").unlink()
    with pytest.raises(DatasetError, match=r"1 of 2 files .* have no partner .*a_label.tif"):
        read_card(path, data=tmp_path)
