import numpy as np
import pytest
import torch

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.augment.degradation import degrade
from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.errors import DatasetError
from tests.tiny_datasets import CARD, HEIGHT, WIDTH, write_dataset, write_raster

WHOLE = Window(0, 0, HEIGHT, WIDTH)


@pytest.fixture
def scene(card):
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as (scene,):
        yield scene


def test_the_image_is_normalized_as_the_card_says(scene):
    hr = scene.read_hr(WHOLE)
    assert hr.shape == (2, HEIGHT, WIDTH)
    assert np.allclose([hr[0].min(), hr[0].max()], [0.1, 0.9], atol=0.1)  # 0.1 and 0.4 of 0.5
    assert np.allclose([hr[1].min(), hr[1].max()], [0.06, 0.44], atol=0.05)  # of 1


def test_fill_is_the_mean_input_of_what_trains(card, scene):
    mean = scene.read_hr(WHOLE)[:, :, : WIDTH // 2 - 8].mean((1, 2))
    assert np.allclose(measure_normalization(card).fill, mean, atol=1e-4)


def test_values_without_a_class_are_ignored(scene):
    target = scene.read_target(WHOLE, "validation")
    assert set(np.unique(target)) == {0, 1, NODATA}
    assert (target[:5] == NODATA).all()


def test_each_split_has_its_own_pixels(scene):
    train, validation, test = (
        scene.read_target(WHOLE, split) != NODATA for split in ("train", "validation", "test")
    )
    assert not test.any()
    assert not (train & validation).any()
    assert validation[5:, WIDTH // 2 :].all()


@pytest.mark.parametrize("window", [WHOLE, Window(16, 64, 64, 64), Window(16, 80, 64, 16)])
def test_training_keeps_the_guards_distance_whatever_the_window(scene, window):
    train = scene.read_target(window, "train") != NODATA
    cols = np.arange(window.col_off, window.col_stop)
    expected = cols < WIDTH // 2 - 8
    assert np.array_equal(train[8:].all(axis=0), expected)
    assert np.array_equal(train[8:].any(axis=0), expected)


@pytest.mark.parametrize("held_out", ["validation", "test"])
def test_the_guard_also_parts_two_scenes_of_one_image(tmp_path, held_out):
    part = 'image = "image.tif"\nreference = "reference.tif"\nsplit = '
    text = CARD.replace(
        f'{part}"split.tif"\n',
        f'{part}"train"\ncols = ":150"\n\n[[scenes]]\n{part}"{held_out}"\nrows = "100:"\n'
        'cols = "40:"\n',
    )
    card = read_card(write_dataset(tmp_path, card=text), data=tmp_path)
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        train, other = (
            scene.read_target(WHOLE, split) != NODATA
            for scene, split in zip(scenes, ("train", held_out), strict=True)
        )
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    assert np.array_equal(train, (rows >= 5) & (cols < 150) & ((rows < 92) | (cols < 32)))
    assert np.array_equal(other, (rows >= 100) & (cols >= 40))


@pytest.mark.parametrize(
    "window", [Window(0, 0, 40, 48), Window(8, 16, 16, 8), Window(39, 47, 1, 1)]
)
def test_a_window_of_the_degraded_image_is_cut_from_the_whole(scene, window):
    whole = degrade(torch.from_numpy(scene.read_hr(WHOLE)), factor=4).numpy()
    assert np.allclose(
        scene.read_inputs(window, factor=4), whole[:, window.rows, window.cols], atol=1e-6
    )


def test_a_reference_of_another_size_says_where_it_lies(card, tmp_path):
    write_raster(tmp_path / "reference.tif", np.ones((1, HEIGHT, WIDTH + 1), np.uint8), crs=None)
    with (
        pytest.raises(
            DatasetError, match=r"reference\.tif has 160x193 pixels .* give both files a"
        ),
        open_labelled_scenes(card, normalization=measure_normalization(card)),
    ):
        pass
