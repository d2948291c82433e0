import pytest

from geosrseg.core.text.counted import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 classes"), (1, "1 class"), (2, "2 classes"), (11, "11 classes")]
)
def test_one_is_the_only_singular(number, words):
    assert counted(number, "class", plural="classes") == words


def test_an_s_makes_most_plurals():
    assert (counted(1, "image"), counted(3, "image")) == ("1 image", "3 images")
