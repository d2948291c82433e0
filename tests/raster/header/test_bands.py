import pytest

from geosrseg.errors import SceneError
from geosrseg.raster.header.bands import BandChoice, SceneBand, choose_bands

MODEL = ("green", "red", "nir")


def bands(*names: str, alpha: int | None = None) -> list[SceneBand]:
    return [SceneBand(k, name, k == alpha) for k, name in enumerate(names, start=1)]


@pytest.mark.parametrize(
    ("found", "option", "indexes"),
    [
        (bands("green", "red", "nir"), None, (1, 2, 3)),
        (bands("blue", "NIR", "Red ", "green", "swir1"), None, (4, 3, 2)),
        (bands("a", "b", "c", "d"), "2,3,4", (2, 3, 4)),
        (bands("a", "b", "c", "d"), " nir = 1, RED=4,green=2", (2, 4, 1)),
        (bands("x", "red", "nir"), "green=1", (1, 2, 3)),
        (bands("green", "red", "nir"), "3,2,1", (3, 2, 1)),
        (bands("", "", "", "", alpha=4), "1,2,4", (1, 2, 4)),
    ],
)
def test_bands_are_found_in_the_models_order(found, option, indexes):
    choice = choose_bands(found, model_bands=MODEL, option=option)
    assert choice == BandChoice(indexes, guessed=False)


def test_unnamed_bands_are_taken_in_order_and_said_to_be_a_guess():
    choice = choose_bands(bands("", "", "", "", alpha=4), model_bands=MODEL, option=None)
    assert choice == BandChoice((1, 2, 3), guessed=True)


@pytest.mark.parametrize(
    "found",
    [
        bands("", ""),
        bands("", "", "", ""),
        bands("b1", "b2", "b3"),
        bands("", "", "nir"),
        bands("green", "red", "red", "nir"),
        bands("", "", "", alpha=3),
        bands(*"abcdefghijklmnop"),
        [],
    ],
)
def test_what_is_not_certain_is_refused_with_the_remedy(found):
    with pytest.raises(SceneError, match="`bands` green=1,red=2,nir=3") as caught:
        choose_bands(found, model_bands=MODEL, option=None)
    assert f"{len(found)} band" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "option",
    [
        "",
        "1",
        "1,2",
        "1,2,3,4",
        "1,2,2",
        "0,1,2",
        "1,2,5",
        "1,2,x",
        "-1,2,3",
        "1,2,²",
        "blue=1",
        "green=1",
        "green=9",
        "green=1,green=2",
        "green=,red=2,nir=3",
        "green=1,2,3",
        "green=2,red=2,nir=3",
    ],
)
def test_wrong_options_are_refused(option):
    with pytest.raises(SceneError, match="`bands`") as caught:
        choose_bands(bands("a", "b", "c", "d"), model_bands=MODEL, option=option)
    assert "expected" in str(caught.value)
