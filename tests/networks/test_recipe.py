import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.networks.presets import PRESETS, configure
from geosrseg.networks.recipe import Recipe
from geosrseg.networks.super_resolution.dbpn import DBPN


def test_the_paper_preset_is_the_papers():
    network, recipe = configure(
        "paper", protocol="end-to-end", bands=3, classes=6, upscale_factor=8
    )
    assert (network.sr, network.seg) == ("dbpn", "segnet")
    assert (network.sr_options, network.seg_options, network.residual) == ({}, {}, False)
    assert inspect.signature(DBPN).parameters["stages"].default == 7
    assert (recipe.alpha, recipe.beta) == (0.1, 1000)
    assert (recipe.chip_size, recipe.batch_size, recipe.epochs) == (480, 1, 300)
    assert (recipe.sr_rate, recipe.seg_rate) == (1e-5, 1e-5)
    assert (recipe.sr_decay, recipe.seg_decay) == (1e-4, 5e-4)
    assert (recipe.decoupled, recipe.quarter_turns) == (False, False)


def test_the_papers_rates_fall_to_a_tenth_at_half():
    recipe = Recipe(epochs=4, chips_per_epoch=5)
    assert recipe.steps == 20
    assert [recipe.rate_factor(step) for step in (0, 9, 10, 19)] == [1, 1, 0.1, 0.1]


def test_steps_are_counted_over_devices_batches_and_accumulation():
    recipe = Recipe(epochs=2, chips_per_epoch=23, devices=2, batch_size=2, accumulate=2)
    assert recipe.steps_per_epoch == 3  # 12 chips a device, 6 batches
    assert recipe.steps == 6


@given(
    steps=st.integers(1, 500),
    epochs=st.integers(1, 20),
    chips=st.integers(1, 100),
    batch=st.integers(1, 5),
    accumulate=st.integers(1, 3),
    devices=st.integers(1, 3),
)
def test_a_limited_recipe_has_no_more_steps(steps, epochs, chips, batch, accumulate, devices):
    recipe = Recipe(
        epochs=epochs,
        chips_per_epoch=chips,
        batch_size=batch,
        accumulate=accumulate,
        devices=devices,
    )
    limited = recipe.limited(steps)
    assert 0 < limited.steps <= min(steps, recipe.steps)
    assert limited.steps > min(steps, recipe.steps) - limited.epochs
    assert recipe.limited(recipe.steps) is recipe


def test_a_warm_up_is_end_to_ends_alone():
    options = {"bands": 1, "classes": 2, "replaced": {"sr_warm_up": 2, "chips_per_epoch": 80}}
    steps = {}
    for protocol in ("end-to-end", "two-stage", "lr", "hr"):
        factor = 1 if protocol == "hr" else 4
        network, recipe = configure("slim", protocol=protocol, upscale_factor=factor, **options)
        steps[protocol] = recipe.sr_steps(network)
    assert steps == {"end-to-end": 20, "two-stage": recipe.steps, "lr": 0, "hr": 0}
    assert recipe.limited(10).sr_warm_up == 0


def test_one_rate_is_that_of_both_parts_unless_one_has_its_own():
    options = {"protocol": "end-to-end", "bands": 1, "classes": 2, "upscale_factor": 4}
    _, recipe = configure("slim", **options, replaced={"rate": 0.5, "max_steps": 7})
    assert (recipe.sr_rate, recipe.seg_rate, recipe.steps) == (0.5, 0.5, 7)
    _, recipe = configure("slim", **options, replaced={"rate": 0.5, "sr_rate": 0.1})
    assert (recipe.sr_rate, recipe.seg_rate) == (0.1, 0.5)


def test_the_cosine_rises_first_and_ends_at_zero():
    recipe = Recipe(schedule="cosine", epochs=10, chips_per_epoch=100)
    factors = [recipe.rate_factor(step) for step in range(recipe.steps + 1)]
    assert factors[0] < 0.05
    assert max(factors) > 0.98
    assert factors[-1] == pytest.approx(0)


def test_every_value_of_a_preset_can_be_replaced():
    network, recipe = configure(
        "slim",
        protocol="lr",
        bands=6,
        classes=5,
        upscale_factor=4,
        replaced={"alpha": 3.0, "seg_width": 0.5},
    )
    assert (recipe.alpha, recipe.beta) == (3.0, PRESETS["slim"].recipe.beta)
    assert network.seg_options == {"width": 0.5, "dropout": 0.3}


def test_a_preset_holds_options_for_the_networks_that_have_them():
    network, _ = configure(
        "slim",
        protocol="end-to-end",
        bands=6,
        classes=5,
        upscale_factor=4,
        replaced={"sr": "espcn", "seg": "smp:unet/resnet18"},
    )
    assert (network.sr_options, network.seg_options) == ({}, {})


def test_the_compact_preset_is_one_network_for_both_images():
    options = {"bands": 6, "classes": 8, "upscale_factor": 3}
    network, recipe = configure("compact", protocol="end-to-end", **options)
    assert network.joint == "compact"
    assert recipe.loss == {"ce": 1.0, "dice": 0.5}
    for factor in (2, 3, 4, 8):
        assert recipe.chip_size % (16 * factor) == 0
    network, _ = configure("slim", protocol="lr", **options, replaced={"joint": "compact"})
    assert network.joint == "compact"
    for unused in ({"seg": "unet"}, {"sr_stages": 3}, {"residual": True}):
        with pytest.raises(ValueError, match="beside the network compact, which is one for both"):
            configure("compact", protocol="end-to-end", **options, replaced=unused)


def test_class_weights_are_given_by_hand_or_by_a_power_of_their_shares():
    assert Recipe().weights_of_classes((10, 30)) == ()
    assert Recipe(class_weights=(1, 3)).weights_of_classes((10, 30)) == (1, 3)
    ours = Recipe(class_weights=(1,)).weights_of_classes((10, 30))
    assert ours == pytest.approx((2, 2 / 3))
    options = {"protocol": "lr", "bands": 1, "classes": 2, "upscale_factor": 4}
    with pytest.raises(ValueError, match="3 class weights, expected one for each of 2 classes"):
        configure("slim", **options, replaced={"class_weights": (1, 2, 3)})


def test_a_recipe_survives_json():
    recipe = PRESETS["compact"].recipe
    assert Recipe(**json.loads(json.dumps(recipe.to_json()))) == recipe


def test_a_value_that_nothing_has_is_refused():
    with pytest.raises(ValueError, match="neither recipe nor networks have `width`"):
        configure(
            "slim",
            protocol="lr",
            bands=1,
            classes=2,
            upscale_factor=4,
            replaced={"width": 1},
        )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schedule": "linear"}, "step, cosine"),
        ({"epochs": 0}, "`epochs` is at least 1"),
        ({"chip_size": 100}, "multiple of 32"),
        ({"averaging": 1.0}, "decay below 1"),
        ({"sr_warm_up": 3, "epochs": 3}, "less than the 3 epochs"),
        ({"devices": 0}, "`devices` is at least 1"),
        ({"loss": {"iou": 1}}, "`loss` is made of ce, dice, lovasz, focal, boundary, got iou"),
        ({"loss": {}}, "got none"),
        ({"loss": {"ce": -1}}, "weights of the losses are 0 or more"),
        ({"label_smoothing": 1}, "`label_smoothing` is 0 to below 1"),
        ({"augment": {"nonsense": 1}}, "`augment` takes scale, noise, haze, drop, got nonsense"),
        ({"class_weights": (1, -1)}, "`class_weights` are 0 or more"),
        ({"class_weights": (0, 0)}, "are all 0: use one above 0"),
        ({"loss": {"ce": 0, "dice": 0}}, "are all 0: use one above 0"),
    ],
)
def test_a_recipe_that_does_not_do_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**values)
