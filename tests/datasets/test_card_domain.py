import numpy as np
import pytest

from geosrseg.core.domain import LEVELS, Domain
from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.card_domain import measure_domain
from geosrseg.datasets.chips import ChipConfig
from geosrseg.errors import DatasetError
from tests.tiny_datasets import CARD, WIDTH, write_dataset
from tests.tiny_sources import CHIP, FACTOR, write_sources

WORDS = """
reflectance = "surface"
sensors = ["ETM+", "OLI"]
region = "Kafa"
dates = "2001"
offered = [30]
resolution = 5
"""


@pytest.fixture
def said(tmp_path):
    return read_card(write_dataset(tmp_path, card=WORDS + CARD), data=tmp_path)


def test_the_card_says_what_cannot_be_measured(said):
    domain = measure_domain(said, factor=4)
    assert (domain.reflectance, domain.sensors) == ("surface", ("ETM+", "OLI"))
    assert (domain.region, domain.dates, domain.offered) == ("Kafa", "2001", (30.0,))


def test_the_resolution_is_that_of_the_lr_images_by_the_georeference(said):
    assert measure_domain(said, factor=4).resolution == pytest.approx(120, rel=0.01)
    assert measure_domain(said, factor=1).resolution == pytest.approx(30, rel=0.01)


def test_quantiles_are_those_of_the_training_pixels(card, tmp_path):
    import rasterio

    with rasterio.open(tmp_path / "image.tif") as dataset:
        train = dataset.read()[:, :, : WIDTH // 2 - 8].reshape(2, -1) / 10_000
    domain = measure_domain(card, factor=1)
    assert np.allclose(domain.quantiles, np.quantile(train, LEVELS, axis=1).T, atol=2e-3)
    assert np.allclose(domain.means, train.mean(axis=1), atol=1e-3)
    degraded = measure_domain(card, factor=8)
    assert degraded.quantiles[0][-1] < domain.quantiles[0][-1]  # noise is averaged away


def test_shares_are_those_of_the_training_image_that_has_most_of_a_class(card):
    domain = measure_domain(card, factor=1)
    assert len(domain.shares) == len(card.legend)
    assert sum(domain.shares) == pytest.approx(1, abs=1e-3)  # there is one image


def test_several_sources_are_measured_on_chips_as_they_are_trained(tmp_path):
    sourced = read_card(write_sources(tmp_path), data=tmp_path)
    images = measure_domain(sourced, factor=FACTOR)
    chips = ChipConfig(
        size=CHIP, upscale_factor=FACTOR, quarter_turns=False, class_power=0.5, jitter=0.2,
        cutout=1.0, seed=0,
    )  # fmt: skip
    drawn = measure_domain(
        sourced, factor=FACTOR, chips=chips, fill=(0.1,) * len(sourced.bands), most=40
    )
    for plain, lit in zip(images.quantiles, drawn.quantiles, strict=True):
        assert lit[-1] - lit[0] > plain[-1] - plain[0]  # sun, haze and gains lie in between


def test_a_card_that_says_nothing(card):
    assert card.domain == Domain()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"surface"', '"radiance"', "reflectance is 'radiance', expected surface or top"),
        ("[30]", '["30"]', "offered is .*, expected metres above 0"),
        ('["ETM+", "OLI"]', "[7]", r"sensors is \[7\], expected a text"),
        ("resolution = 5", "resolution = -5", "metres above 0"),
    ],
)
def test_a_domain_that_does_not_do_is_refused(tmp_path, before, after, message):
    card = (WORDS + CARD).replace(before, after)
    with pytest.raises(DatasetError, match=message):
        read_card(write_dataset(tmp_path, card=card), data=tmp_path)
