import numpy as np
import pytest
import torch

from geosrseg.datasets.augment.variation import (
    LEAST_SIDE,
    MOST_SIDE,
    draw_side,
    resize_image,
    resize_labels,
    vary_all,
    vary_input,
)
from geosrseg.networks.recipe import AUGMENTATIONS, Recipe

LANDSAT = ("blue", "green", "red", "nir", "swir1")


@pytest.fixture
def generator():
    return np.random.default_rng(1)


def haze(images, bands, generator):
    return vary_all(*images, bands=bands, strengths={"haze": 1.0}, generator=generator)


def test_the_ground_of_a_chip_is_between_its_least_and_its_most(generator):
    usual = {"scale": 1.0}
    sides = [
        draw_side(192, multiple=4, length=999, strengths=usual, generator=generator)
        for _ in range(300)
    ]
    assert min(sides) < 192 * 0.85
    assert max(sides) > 192 * 1.4
    assert all(side % 4 == 0 and LEAST_SIDE * 190 <= side <= MOST_SIDE * 194 for side in sides)


@pytest.mark.parametrize(("length", "most"), [(250, 248), (40, 192)])
def test_a_chip_reaches_over_an_image_only_if_its_own_size_does(generator, length, most):
    sides = {
        draw_side(192, multiple=4, length=length, strengths={"scale": 1}, generator=generator)
        for _ in range(300)
    }
    assert max(sides) == most


def test_labels_follow_the_image_in_scale():
    labels = torch.zeros(60, 60, dtype=torch.uint8)
    labels[12:33, 20:50] = 3
    image = (labels == 3).float()[None].repeat(2, 1, 1)
    for size in (40, 60, 75):
        small, shown = resize_labels(labels, size), resize_image(image, size)
        assert set(small.unique().tolist()) == {0, 3}  # and no class between them
        clear = (shown[0] - 0.5).abs() > 0.3  # without the pixels on an edge
        assert torch.equal((small == 3)[clear], (shown[0] > 0.5)[clear])
        assert clear.float().mean() > 0.9
        assert shown.min() >= 0
        assert shown.max() <= 1


def test_haze_hides_every_image_of_a_ground_alike_and_blue_the_most(generator):
    hr, lr = torch.zeros(5, 64, 64), torch.zeros(5, 16, 16)
    while not (hazed := haze((hr, lr), LANDSAT, generator))[0].any():
        pass
    veils = hazed[0].mean((1, 2))
    assert torch.all(veils.diff() < 0)
    coarse = torch.nn.functional.avg_pool2d(hazed[0][None], 4)[0]
    torch.testing.assert_close(coarse, hazed[1], rtol=0, atol=0.02)


def test_haze_of_unknown_bands_is_one_veil_and_leaves_some_chips_clear(generator):
    image = torch.full((3, 32, 32), 0.1)
    done = [haze((image,), bands, generator)[0] for bands in (("VV", "VH", "angle"), ()) * 20]
    assert 5 < sum(torch.equal(one, image) for one in done) < 35
    for one in done:
        torch.testing.assert_close(one[0], one[2])
        assert float(one.min()) >= 0.1 - 1e-6
        assert float(one.max()) < 0.1 + 0.3 * 0.6 + 1e-6


def test_noise_keeps_the_range_and_the_image_that_it_was_given(generator):
    lr = torch.full((2, 40, 40), 0.5)
    done = vary_input(lr, fill=(0, 0), strengths={"noise": 1}, generator=generator)
    assert torch.all(lr == 0.5)
    assert 0 < float(done.std()) < 0.021
    dark = vary_input(lr * 0, fill=(0, 0), strengths={"noise": 3}, generator=generator)
    assert float(dark.min()) == 0


def test_one_band_in_so_many_chips_holds_its_fill(generator):
    lr, fill = torch.rand(3, 8, 8), (0.25, 0.5, 0.75)
    lacking = []
    for _ in range(200):
        done = vary_input(lr, fill=fill, strengths={"drop": 1}, generator=generator)
        changed = [band for band in range(3) if not torch.equal(done[band], lr[band])]
        assert all(torch.all(done[band] == fill[band]) for band in changed)
        lacking.append(len(changed))
    assert set(lacking) == {0, 1}
    assert 20 < sum(lacking) < 60
    only = vary_input(lr[:1], fill=fill[:1], strengths={"drop": 3}, generator=generator)
    assert torch.equal(only, lr[:1])


def test_a_recipe_names_known_variations_and_their_strength():
    assert Recipe(augment=dict.fromkeys(AUGMENTATIONS, 1.0)).augment["haze"] == 1
    with pytest.raises(ValueError, match="scale, noise, haze, drop, got zoom"):
        Recipe(augment={"zoom": 1})
    with pytest.raises(ValueError, match="`augment` noise is 0 to 3 \\(usually 1\\), got 50"):
        Recipe(augment={"noise": 50})
