import pytest

from geosrseg.data.card import read_card
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
        ('name = "squares"', "name = ", "is not a dataset card"),
        ("[bands]", "[channels]", "missing 'bands'"),
        ("id = 4", "id = 1", "class ids rise"),
        ("red = [0.0, 0.5]", "red = [0.0]", "is not a dataset card"),
        ('"image.tif"', '"elsewhere.tif"', "1 files not found, first .*elsewhere.tif"),
    ],
)
def test_a_card_that_does_not_do_is_refused(tmp_path, before, after, message):
    path = write_dataset(tmp_path, card=CARD.replace(before, after))
    with pytest.raises(DatasetError, match=message):
        read_card(path, data=tmp_path)


def test_missing_data_says_where_it_comes_from(tmp_path):
    path = write_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"--data is .*nowhere, the data comes from this test"):
        read_card(path, data=tmp_path / "nowhere")


def test_a_missing_card_is_a_dataset_error(tmp_path):
    with pytest.raises(DatasetError, match="cannot read the dataset card"):
        read_card(tmp_path / "none.toml", data=tmp_path)
