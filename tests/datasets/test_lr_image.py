"""A real LR image of another sensor beside the native one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from affine import Affine

from geosrseg.core.legend import NODATA
from geosrseg.core.normalize import Normalization
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.chips import ChipConfig, Chips
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.errors import DatasetError
from geosrseg.training.validating.evaluation_windows import EvaluationWindows
from tests.tiny_datasets import (
    BANDS,
    CARD,
    HEIGHT,
    TRANSFORM,
    WIDTH,
    write_dataset,
    write_raster,
)

LR_CARD = CARD.replace('split = "split.tif"', 'split = "split.tif"\nlr = "lr.tif"').replace(
    "[bands]", "[lr_bands]\nred = [0.0, 1.0]\nnir = [0.0, 0.5]\n\n[bands]"
)
WHOLE = Window(0, 0, HEIGHT, WIDTH)
LR_GRID = TRANSFORM * Affine.scale(4)
CONFIG = ChipConfig(
    size=64, upscale_factor=4, class_power=0, jitter=0, cutout=0, seed=3, quarter_turns=True
)


def lr_numbers():
    """(bands, rows, cols) reflectance x 10000, unrelated to the native image."""
    return np.random.default_rng(1).integers(500, 4000, (2, HEIGHT // 4, WIDTH // 4)).astype("i2")


@pytest.fixture
def lr_card(tmp_path):
    """The card of `card` with a real LR image, 4 times as coarse."""
    write_raster(tmp_path / "lr.tif", lr_numbers(), names=BANDS, transform=LR_GRID)
    return read_card(write_dataset(tmp_path, card=LR_CARD), data=tmp_path)


@pytest.fixture
def scene(lr_card):
    with open_labelled_scenes(lr_card, normalization=measure_normalization(lr_card)) as (scene,):
        yield scene


def expected_inputs():
    """Network input of the LR image, with the ranges of its own sensor."""
    return lr_numbers() / 10_000 / np.array([1.0, 0.5])[:, None, None]


def test_the_inputs_are_the_real_image_in_the_ranges_of_its_sensor(scene):
    found = scene.read_inputs(Window(0, 0, HEIGHT // 4, WIDTH // 4), factor=4)
    assert np.allclose(found, expected_inputs(), atol=1e-6)


def test_the_native_image_keeps_its_own_ranges(scene, card):
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as (plain,):
        expected = plain.read_hr(WHOLE)
    assert np.allclose(scene.read_hr(WHOLE), expected, atol=1e-6)


def test_the_models_normalization_is_that_of_the_real_image(lr_card):
    found = measure_normalization(lr_card)
    train = expected_inputs()[:, :, : (WIDTH // 2 - 8) // 4]
    assert found.high == (1.0, 0.5)
    assert np.allclose(found.fill, train.mean((1, 2)), atol=1e-3)
    native = measure_normalization(lr_card, native=True)
    assert native.high == (0.5, 1.0)


def test_a_chip_takes_both_images_at_one_place(scene):
    chips = Chips([scene], classes=2, config=CONFIG)
    reference = scene.read_hr(WHOLE)
    for number in range(10):
        _, window = chips._draw(np.random.default_rng((CONFIG.seed, number)))
        lr, hr, target, _ = chips[number]
        place = Window(window.row_off // 4, window.col_off // 4, 16, 16)
        inputs = expected_inputs()[:, place.rows, place.cols]
        native = reference[:, window.rows, window.cols]
        assert lr.shape == (2, 16, 16)
        poses = [
            (np.rot90(a, k, (1, 2)), np.rot90(b, k, (1, 2)))
            for a, b in ((inputs, native), (inputs[:, :, ::-1], native[:, :, ::-1]))
            for k in range(4)
        ]
        assert any(
            np.allclose(lr, a, atol=1e-6) and np.allclose(hr, b, atol=1e-6) for a, b in poses
        )
        assert (target != NODATA).any()


def test_both_images_of_a_chip_are_lit_alike(scene):
    plain = Chips([scene], classes=2, config=CONFIG)[2]
    lit = Chips([scene], classes=2, config=replace(CONFIG, jitter=0.02))[2]
    for band in range(2):
        # The difference comes from clipping the brightest pixels to [0, 1].
        slopes = [np.polyfit(plain[k][band].ravel(), lit[k][band].ravel(), 1) for k in (0, 1)]
        assert np.allclose(slopes[0], slopes[1], atol=0.02)
        assert not np.allclose(slopes[0], [1, 0], atol=1e-3)


def test_evaluation_windows_hold_the_real_image(scene):
    windows = EvaluationWindows(
        [scene], split="validation", upscale_factor=4, multiple=8, exact_halo=8
    )
    window = windows[0]
    assert torch.allclose(
        window.lr[:, : HEIGHT // 4, : WIDTH // 4],
        torch.from_numpy(expected_inputs()).float(),
        atol=1e-6,
    )


def test_the_native_protocol_sees_the_native_image(lr_card):
    normalization = measure_normalization(lr_card, native=True)
    with open_labelled_scenes(lr_card, normalization=normalization) as (scene,):
        assert np.array_equal(scene.read_inputs(WHOLE, factor=1), scene.read_hr(WHOLE))
        lr, hr, _, _ = Chips([scene], classes=2, config=replace(CONFIG, upscale_factor=1))[0]
        assert torch.equal(lr, hr)


def test_another_upscale_factor_is_refused_with_both_resolutions(scene):
    message = (
        r"lr\.tif has pixels of 120 x 120 .*image\.tif of 30 x 30 .*upscale factor 8 within 5%"
    )
    with pytest.raises(DatasetError, match=message):
        scene.size(8)
    with pytest.raises(DatasetError, match=message):
        Chips([scene], classes=2, config=replace(CONFIG, upscale_factor=8))


def test_ground_without_lr_pixels_is_not_used(tmp_path):
    """Half of the LR image is missing, and one corner is nodata."""
    numbers = lr_numbers()[:, : HEIGHT // 8]
    numbers[:, :5, :5] = -1
    write_raster(tmp_path / "lr.tif", numbers, names=BANDS, transform=LR_GRID)
    text = LR_CARD.replace("[lr_bands]", "[lr_image]\nnodata = -1\n\n[lr_bands]")
    card = read_card(write_dataset(tmp_path, card=text), data=tmp_path)
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as (scene,):
        target = scene.read_target(WHOLE, "train")
        assert (target[HEIGHT // 2 :] == NODATA).all()
        assert (target[:20, :20] == NODATA).all()
        assert (target[20 : HEIGHT // 2, : WIDTH // 2 - 8] != NODATA).all()
        for window in (Window(3, 5, 30, 41), Window(HEIGHT // 2 - 3, 7, 13, 9)):
            part = scene.read_target(window, "train")
            assert np.array_equal(part, target[window.rows, window.cols])
        corner = scene.read_inputs(Window(0, 0, 5, 5), factor=4)
        fill = np.array(scene.normalization.fill, np.float32)
        assert (corner == fill[:, None, None]).all()


@pytest.mark.parametrize("crs", ["EPSG:32636", "EPSG:4326"])
def test_an_lr_image_on_its_own_grid_is_resampled(tmp_path, crs):
    """A ramp over the ground, on a shifted grid or one in degrees, stays that ramp."""
    from rasterio.warp import transform, transform_bounds

    left, bottom, right, top = transform_bounds(
        "EPSG:32636", crs, 799_000, 844_000, 807_000, 851_000
    )
    rows, cols = (57, 66) if crs == "EPSG:32636" else (60, 64)
    grid = Affine((right - left) / cols, 0, left, 0, (bottom - top) / rows, top)
    if crs == "EPSG:32636":
        grid = Affine(120, 0, 799_070, 0, -120, 851_030)
    centre_cols, centre_rows = np.meshgrid(np.arange(cols) + 0.5, np.arange(rows) + 0.5)
    xs = grid.c + grid.a * centre_cols
    ys = grid.f + grid.e * centre_rows
    east, _ = transform(crs, "EPSG:32636", xs.ravel(), ys.ravel())
    ramp = (np.array(east) - 799_000).reshape(1, rows, cols).astype(np.int16)
    write_raster(tmp_path / "lr.tif", np.repeat(ramp, 2, 0), names=BANDS, crs=crs, transform=grid)
    card = read_card(write_dataset(tmp_path, card=LR_CARD), data=tmp_path)
    bare = Normalization((0.0, 0.0), (1.0, 1.0), (0.0, 0.0))
    with open_labelled_scenes(card, normalization=bare) as (scene,):
        found = scene.read_inputs(Window(0, 0, 40, 48), factor=4)[0] * 10_000
    expected = 1000 + 120 * (np.arange(48) + 0.5)
    assert np.abs(found - expected).max() < 6  # a twentieth of a pixel


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("red = [0.0, 1.0]\n", "", r"\[lr_bands\] has nir, expected the bands of \[bands\]"),
        ('lr = "lr.tif"', "", r"\[lr_bands\] is given, but no \[\[scenes\]\] has lr"),
        ('lr = "lr.tif"', 'lr = "none.tif"', "1 files not found, first .*none.tif"),
        (
            'lr = "lr.tif"',
            'lr = "lr.tif"\n[[scenes]]\nimage="image.tif"\nreference="reference.tif"\nsplit="test"',
            r"some \[\[scenes\]\] have lr and some have none",
        ),
    ],
)
def test_a_card_says_all_or_nothing_of_lr_images(tmp_path, before, after, message):
    write_raster(tmp_path / "lr.tif", lr_numbers(), names=BANDS, transform=LR_GRID)
    path = write_dataset(tmp_path, card=LR_CARD.replace(before, after, 1))
    with pytest.raises(DatasetError, match=message):
        read_card(path, data=tmp_path)


def test_an_lr_image_says_where_it_lies(tmp_path):
    write_raster(tmp_path / "lr.tif", lr_numbers(), names=BANDS, transform=LR_GRID, crs=None)
    card = read_card(write_dataset(tmp_path, card=LR_CARD), data=tmp_path)
    with pytest.raises(DatasetError, match=r"lr\.tif has .* without a CRS"):
        measure_normalization(card)
