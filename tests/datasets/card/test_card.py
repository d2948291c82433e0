import pytest

from geosrseg.core.normalize import Radiometry
from geosrseg.datasets.card.card import read_card
from geosrseg.errors import DatasetError
from tests.tiny_datasets import CARD, write_dataset


def test_a_card_says_what_the_dataset_is(card, tmp_path):
    assert card.bands == ("red", "nir")
    assert (card.low, card.high) == ((0.0, 0.0), (0.5, 1.0))
    assert card.legend.names == ("dark", "bright")
    assert card.scenes[0].image == tmp_path / "image.tif"


def test_a_split_may_be_a_name_for_the_whole_scene(tmp_path):
    path = write_dataset(tmp_path, card=CARD.replace('"split.tif"', '"train"'))
    assert read_card(path, data=tmp_path).scenes[0].split == "train"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('name = "squares"', "name = ", "is not a dataset card: Invalid value"),
        ('name = "squares"', "name = 3", "name is 3, expected a text"),
        ("[bands]", "[channels]", r"channels is not a key of a card: expected name, licence"),
        ("guard = 8", "gard = 8", "gard is not a key of a card: did you mean guard"),
        ("guard = 8", "guard = -1", "guard is -1, expected a whole number of 0 or more"),
        ("guard = 8", 'guard = "8"', "guard is '8', expected a whole number of 0 or more"),
        ("ignored = [7]", "ignored = [1]", "1 of the references has two meanings"),
        ("ignored = [7]", 'ignored = ["#000000"]', "some are colours, expected only one kind"),
        ("ignored = [7]", 'ignored = ["red"]', "ignored has 'red', expected a value from -32768"),
        ("ignored = [7]", 'ignored = ["9-3"]', "ignored has '9-3', expected a value from -32768"),
        ("id = 4", "id = 1", r"2 \[\[classes\]\] have id 1 \(dark, bright\)"),
        (
            'name = "bright"',
            'name = "Dark"',
            r"2 \[\[classes\]\] are named dark: give each its own",
        ),
        ("id = 4", "id = 255", r"\[\[classes\]\] 2 id is 255, expected 0 to 254"),
        ('colour = "#222222"', 'colour = "grey"', "1 colour is 'grey', expected a colour such"),
        ("red = [0.0, 0.5]", "red = [0.0]", r"\[bands\] red is \[0.0\], expected \[low, high\]"),
        ("red = [0.0, 0.5]", "red = [0.5, 0.5]", r"\[bands\] red is .*the higher one"),
        ('split = "split.tif"', "", r"\[\[scenes\]\] 1 split is missing, expected a text"),
        ('split = "split.tif"', 'split = "trian"', "1 files not found, first .*trian"),
        ('split = "split.tif"', 'split = "train"\nrows = "9"', "rows is '9', expected such as"),
        ("[bands]", "[image]\nscale = 0\n[bands]", r"\[image\] scale is 0, expected no scale of 0"),
        ("[bands]", "[image]\nscale = [1]\n[bands]", r"scale is \[1\], expected .* a list of 2"),
        ("[bands]", "[image]\nbands = [1, 1]\n[bands]", "expected a list of 2 different band"),
        ('"image.tif"', '"elsewhere.tif"', "1 files not found, first .*elsewhere.tif"),
        ('"image.tif"', '"*.jpg"', r"\[\[scenes\]\] 1 image = '\*.jpg' matches no file; --data is"),
    ],
)
def test_a_wrong_card_is_refused(tmp_path, before, after, message):
    path = write_dataset(tmp_path, card=CARD.replace(before, after))
    with pytest.raises(DatasetError, match=message):
        read_card(path, data=tmp_path)


def test_classes_may_come_in_any_order(tmp_path):
    path = write_dataset(tmp_path, card=CARD.replace("id = 1", "id = 9"))
    card = read_card(path, data=tmp_path)
    assert card.legend.names == ("bright", "dark")
    assert card.coding.classes == ((4,), (9,))


def test_a_class_has_the_reference_values_that_the_card_gives_it(tmp_path):
    text = CARD.replace("id = 1", 'id = 1\nreference = [0, "10-12"]')
    card = read_card(write_dataset(tmp_path, card=text), data=tmp_path)
    assert card.coding.classes == ((0, 10, 11, 12), (4,))
    assert card.coding.ignored == (7,)


def test_all_classes_may_have_colours(tmp_path):
    text = CARD.replace("id = 1", 'id = 1\nreference = "#0000ff"')
    text = text.replace("id = 4", 'id = 4\nreference = ["#FFFFFF", "#010203"]')
    text = text.replace("ignored = [7]", 'ignored = "#000000"')
    card = read_card(write_dataset(tmp_path, card=text), data=tmp_path)
    assert card.coding.is_coloured
    assert card.coding.classes == ((0x0000FF,), (0xFFFFFF, 0x010203))
    assert card.coding.ignored == (0,)


def test_a_card_may_say_how_the_images_store_reflectance(tmp_path):
    image = "[image]\nbands = [2, 1]\nscale = 0.5\noffset = [0, 0.1]\nnodata = 0\n[bands]"
    card = read_card(write_dataset(tmp_path, card=CARD.replace("[bands]", image)), data=tmp_path)
    assert card.image.indexes == (2, 1)
    assert card.image.radiometry == Radiometry((0.5, 0.5), (0.0, 0.1))
    assert card.image.nodata == 0


def test_missing_data_says_where_it_comes_from(tmp_path):
    path = write_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"--data is .*nowhere, the data comes from this test"):
        read_card(path, data=tmp_path / "nowhere")


def test_a_missing_card_is_a_dataset_error(tmp_path):
    with pytest.raises(DatasetError, match="cannot read the dataset card"):
        read_card(tmp_path / "none.toml", data=tmp_path)
