"""Weights go over by the names of bands and classes, and what does not fit is named."""

import pytest
import torch

from geosrseg.errors import RunError
from geosrseg.networks.framework import build_network
from geosrseg.training.starting.pretrained import Pretrained
from geosrseg.training.starting.transfer import Misfit, transfer
from tests.tiny_networks import tiny_config, tiny_network

BANDS, CLASSES = ("red", "nir"), ("water", "trees", "bare")
SIX = ("blue", "green", "red", "nir", "swir1", "swir2")


def pretrained(config, *, bands=BANDS, classes=CLASSES):
    network = tiny_network(config, seed=1)
    weights = network.state_dict()
    return network, Pretrained(
        name="theirs", sha256="", weights=weights, bands=bands, classes=classes
    )


def begun(config, theirs, *, bands=BANDS, classes=CLASSES):
    network = tiny_network(config, seed=2)
    said = transfer(theirs, network, config, bands=bands, classes=classes)
    return network.eval(), said


def run(network, lr):
    with torch.inference_mode():
        return network(lr)


@pytest.mark.parametrize("joint", [None, "compact"])
def test_all_goes_over_where_all_is_alike(joint):
    network, theirs = pretrained(tiny_config(joint=joint))
    other, said = begun(tiny_config(joint=joint), theirs)
    assert said == Misfit()
    lr = torch.rand(1, 2, 32, 32)
    assert torch.equal(run(network, lr)[1], run(other, lr)[1])


@pytest.mark.parametrize("sr", ["dbpn", "espcn"])
def test_bands_and_classes_go_by_their_names(sr):
    """In another order they give the same, in that order."""
    config = tiny_config(sr=sr, seg="unet", upscale_factor=2)
    network, theirs = pretrained(config)
    other, said = begun(config, theirs, bands=("NIR", "red"), classes=("bare", "water", "trees"))
    assert said == Misfit()
    lr = torch.rand(1, 2, 32, 32)
    sr, logits = run(network, lr)
    found_sr, found = run(other, lr[:, [1, 0]])
    torch.testing.assert_close(found_sr, sr[:, [1, 0]], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found, logits[:, [2, 0, 1]], rtol=1e-3, atol=1e-4)


def test_a_new_band_changes_nothing_at_first():
    network, theirs = pretrained(tiny_config(protocol="lr", seg="unet"))
    wider = tiny_config(protocol="lr", seg="unet", bands=3)
    other, said = begun(wider, theirs, bands=("red", "swir", "nir"))
    assert said == Misfit(zero=("swir",))
    lr = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(run(other, lr)[1], run(network, lr[:, [0, 2]])[1])


def test_a_subset_of_the_bands_takes_the_features_of_its_own():
    """Logarithms go by their bands, differences of two bands by both."""
    config = tiny_config(joint="compact", bands=6)
    network, theirs = pretrained(config, bands=SIX)
    fewer = tiny_config(joint="compact", bands=4)
    other, said = begun(fewer, theirs, bands=SIX[:4])
    assert said == Misfit(lost=("nir - red", "green - nir"))
    old = network.trunk.encoder[0][0].weight
    new = other.trunk.encoder[0][0].weight
    assert torch.equal(new, old[:, [0, 1, 2, 3, 6, 7, 8, 9]])


@pytest.mark.parametrize(
    ("bands", "lost"),
    [
        (("red", "green", "blue", *SIX[3:]), ("nir - red",)),
        (
            ("NIR", "red", "green", "blue", *SIX[4:]),
            ("nir - red", "green - nir", "green - swir1", "nir - swir1", "nir - swir2"),
        ),
        (
            (*SIX, "coastal"),
            ("nir - red", "green - nir", "green - swir1", "nir - swir1", "nir - swir2"),
        ),
    ],
    ids=["another order", "all in another order", "one more"],
)
def test_differences_that_other_places_do_not_give_are_named(bands, lost):
    """The network subtracts bands by their places, so these inputs have none."""
    _, theirs = pretrained(tiny_config(joint="compact", bands=6), bands=SIX)
    _, said = begun(tiny_config(joint="compact", bands=len(bands)), theirs, bands=bands)
    assert said == Misfit(zero=tuple(bands[6:]), lost=lost)


def test_what_bands_that_are_gone_took_along_is_not_named():
    config = tiny_config(joint="compact", bands=6)
    _, theirs = pretrained(config, bands=("b1", "b11", "near infrared", "b3", "b4", "b5"))
    fewer = tiny_config(joint="compact", bands=2)
    assert begun(fewer, theirs, bands=("b11", "b3"))[1].lost == ("b11 - b3",)


def test_places_of_another_factor_are_not_taken_for_known_ones():
    """A sub-pixel convolution gives factor² places a band, in whatever order the bands are."""
    config = tiny_config(sr="espcn", seg="unet", upscale_factor=3)
    _, theirs = pretrained(config)
    other = tiny_config(sr="espcn", seg="unet", upscale_factor=2)
    for bands in (BANDS, BANDS[::-1]):
        _, said = begun(other, theirs, bands=bands)
        assert len(said.random) == 1
        assert said.lost == ()


def test_new_classes_begin_anew_beside_those_that_are_known():
    network, theirs = pretrained(tiny_config(seg="unet"))
    config = tiny_config(seg="unet", classes=4)
    other, said = begun(config, theirs, classes=("vines", "Water", "olives", "bare"))
    assert said == Misfit(random=("class vines", "class olives"))
    lr = torch.rand(1, 2, 32, 32)
    torch.testing.assert_close(run(other, lr)[1][:, [1, 3]], run(network, lr)[1][:, [0, 2]])


def test_classes_of_other_names_are_not_taken_for_known_ones():
    """Though there are as many of them."""
    _, theirs = pretrained(tiny_config(seg="unet"))
    other, said = begun(tiny_config(seg="unet"), theirs, classes=("oak", "beech", "pine"))
    assert said.random == ("seg.classifier", "class oak", "class beech", "class pine")
    fresh = tiny_network(tiny_config(seg="unet"), seed=2)
    assert torch.equal(other.seg.classifier.weight, fresh.seg.classifier.weight)


def test_another_factor_begins_what_raises_the_features_anew():
    _, theirs = pretrained(tiny_config(joint="compact", upscale_factor=3))
    _, said = begun(tiny_config(joint="compact"), theirs)
    assert said == Misfit(random=("grow.conv",))


def test_weights_of_another_network_are_refused():
    _, theirs = pretrained(tiny_config(joint="compact"))
    config = tiny_config()
    with pytest.raises(RunError, match="theirs has no layer of this network"):
        transfer(theirs, build_network(config), config, bands=BANDS, classes=CLASSES)
