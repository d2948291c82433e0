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
    assert choice == BandChoice(indexes)


def test_unnamed_bands_are_taken_in_order_and_said_to_be_a_guess():
    choice = choose_bands(bands("", "", "", "", alpha=4), model_bands=MODEL, option=None)
    assert choice.indexes == (1, 2, 3)
    assert choice.warning == "its bands have no names: taken in order for green, red, nir"


SIX = ("blue", "green", "red", "nir", "swir1", "swir2")


@pytest.mark.parametrize(
    ("names", "indexes", "sensor"),
    [
        ("SR_B7 SR_B6 SR_B5 SR_B4 SR_B3 SR_B2", (6, 5, 4, 3, 2, 1), "OLI"),
        ("SR_B4 SR_B3 SR_B2 SR_B1 SR_B5 SR_B7", (4, 3, 2, 1, 5, 6), "TM or ETM+"),
        ("SR_B1 SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 ST_B10", (2, 3, 4, 5, 6, 7), "OLI"),
        ("B04 B03 B02 B08 B11 B12", (3, 2, 1, 4, 5, 6), "Sentinel-2 MSI"),
        ("B1 B2 B3 B4 B5 B6 B7 B8 B8A B9 B11 B12", (2, 3, 4, 8, 11, 12), "Sentinel-2 MSI"),
        ("Band 2|Band 3|Band 4|Band 5|Band 6|Band 7", (1, 2, 3, 4, 5, 6), "OLI"),
        ("SRB5 SRB7 SRB2 SRB3 SRB6 SRB4", (3, 4, 6, 1, 5, 2), "OLI"),
        ("0_SR_B5 0_SR_B7 0_SR_B2 0_SR_B3 0_SR_B6 0_SR_B4", (3, 4, 6, 1, 5, 2), "OLI"),
        ("B5_p50 B7_p50 B2_p50 B3_p50 B6_p50 B4_p50", (3, 4, 6, 1, 5, 2), "OLI"),
        ("LE07_T1_SR_B4.TIF LE07_T1_SR_B7.TIF LE07_T1_SR_B1.TIF LE07_T1_SR_B2.TIF "
         "LE07_T1_SR_B5.TIF LE07_T1_SR_B3.TIF", (3, 4, 6, 1, 5, 2), "TM or ETM+"),
        ("T36NYN_B02_10m T36NYN_B03_10m T36NYN_B04_10m T36NYN_B8A_20m T36NYN_B11_20m "
         "T36NYN_B12_20m", (1, 2, 3, 4, 5, 6), "Sentinel-2 MSI"),
        ("sur_refl_b01 sur_refl_b02 sur_refl_b03 sur_refl_b04 sur_refl_b06 sur_refl_b07",
         (3, 4, 1, 2, 5, 6), "MODIS"),
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_one_sensor_that_has_them(names, indexes, sensor):
    found = bands(*(names.split("|") if "|" in names else names.split()))
    choice = choose_bands(found, model_bands=SIX, option=None)
    assert choice.indexes == indexes
    assert f"numbering of {sensor}: blue" in choice.warning


@pytest.mark.parametrize(
    "names",
    [
        "Blue|Green|Red|NIR|SWIR 1|SWIR 2",
        "SR_blue|SR_green|SR_red|SR_nir|SR_swir1|SR_swir2",
        "blue|green|red|nir08|swir16|swir22",
        "Band 2 (Blue)|Band 3 (Green)|Band 4 (Red)|B5 - Near Infrared|SWIR_1|shortwave infrared 2",
        "nbart_blue|nbart_green|nbart_red|nbart_nir|nbart_swir_1|nbart_swir_2",
        "nbart_blue|nbart_green|nbart_red|nbart_nir_1|nbart_swir_2|nbart_swir_3",
        "blau|grün|rot|nahes Infrarot|SWIR1|SWIR2",
        "bleu|vert|rouge|PIR|MIR1|MIR2",
        "azul|verde|rojo|NIR|SWIR 1|SWIR 2",
        "482 nm|561 nm|655 nm|865 nm|1610 nm|2.2 um",
        "Blue (0.452-0.512 um)|Green|Red (0.636-0.673 um)|Near Infrared (NIR)|SWIR 1 (1.566-1.651 "
        "um)|SWIR 2 (2.107-2.294 um)",
        "blue_median|green_median|red_median|nir_median|swir1_median|swir2_median",
    ],
)
def test_words_are_the_band_whoever_writes_them(names):
    choice = choose_bands(bands(*names.split("|")[::-1]), model_bands=SIX, option=None)
    assert choice == BandChoice((6, 5, 4, 3, 2, 1))


@pytest.mark.parametrize(
    ("name", "is_nir"),
    [
        ("Vegetation Red Edge 783 nm", False),
        ("RedEdge3 783nm", False),
        ("B7, central wavelength 783 nm", False),
        ("red edge 800 nm", False),
        ("790 nm", True),
        ("NIR 842 nm", True),
    ],
)
def test_a_red_edge_is_no_near_infrared(name, is_nir):
    found = bands("Green 560 nm", "Red 665 nm", name)
    if is_nir:
        assert choose_bands(found, model_bands=MODEL, option=None) == BandChoice((1, 2, 3))
    else:
        with pytest.raises(SceneError, match="assign them with `bands` nir=N"):
            choose_bands(found, model_bands=MODEL, option=None)


def test_of_two_near_infrared_bands_that_is_meant_which_is_called_so():
    """Names as in Sentinel-2 stacks made from a STAC catalogue."""
    names = ("nir08", "blue", "green", "red", "nir", "swir16", "swir22", "rededge1")
    choice = choose_bands(bands(*names), model_bands=SIX, option=None)
    assert choice == BandChoice((2, 3, 4, 5, 6, 7))


def test_numbers_of_two_sensors_are_asked_about():
    found = bands("SR_B2", "SR_B3", "SR_B4", "SR_B5")
    with pytest.raises(
        SceneError,
        match=r"`bands` 1,2,3 if it is of TM or ETM\+, `bands` 2,3,4 if it is of OLI",
    ):
        choose_bands(found, model_bands=MODEL, option=None)
    named = choose_bands(
        found, model_bands=MODEL, option=None, file_name="LC08_L2SP_170055_20200101.tif"
    )
    assert named.indexes == (2, 3, 4)


def test_a_hint_numbers_no_band_that_it_does_not_know():
    found = bands("Red", "Green", "near-ish")
    with pytest.raises(SceneError, match=r"with `bands` nir=N, where N is the number or name"):
        choose_bands(found, model_bands=MODEL, option=None)


@pytest.mark.parametrize(
    ("option", "indexes"),
    [
        ("SR_B3,SR_B4,SR_B5", (2, 3, 4)),
        ("green=SR_B3, red=sr_b4, nir=4", (2, 3, 4)),
        ("B3,B4,B5", (2, 3, 4)),
        ("nir=SR_B2,green=SR_B3,red=SR_B4", (2, 3, 1)),
    ],
)
def test_the_option_takes_the_names_of_the_file(option, indexes):
    found = bands("SR_B2", "SR_B3", "SR_B4", "SR_B5")
    assert choose_bands(found, model_bands=MODEL, option=option) == BandChoice(indexes)


def test_the_option_takes_the_names_that_the_numbers_mean():
    found = bands("SR_B5", "SR_B7", "SR_B2", "SR_B3", "SR_B6", "SR_B4")
    choice = choose_bands(found, model_bands=SIX, option="blue,green,red,nir,swir1,swir2")
    assert choice == BandChoice((3, 4, 6, 1, 5, 2))


def test_a_name_that_two_bands_have_chooses_none():
    with pytest.raises(SceneError, match="`bands` has 'x', expected a band's number: 1, 2, 3, or"):
        choose_bands(bands("x", "X", "y"), model_bands=MODEL, option="x,y,1")


@pytest.mark.parametrize(
    "found",
    [
        bands("", ""),
        bands("", "", "", ""),
        bands("b1", "b2", "b3"),
        bands("", "", "nir"),
        bands("green", "red", "red", "nir"),
        bands(*(f"Band {number}" for number in range(1, 13))),  # any 12 bands have such names
        bands("", "", "", alpha=3),
        bands(*"abcdefghijklmnop"),
        [],
    ],
)
def test_what_is_not_certain_is_refused_with_the_remedy(found):
    with pytest.raises(SceneError, match=r"`bands` .*(nir|red)=N") as caught:
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
