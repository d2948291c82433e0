from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets import chips as chips_module
from geosrseg.datasets.augment.augmentation import turn
from geosrseg.datasets.augment.variation import resize_image
from geosrseg.datasets.chips import (
    ChipConfig,
    Chips,
    ClassPositions,
    EpochSampler,
    _merge,
    _padded,
    draw_pose,
    place_chip,
)
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.errors import DatasetError
from geosrseg.networks.recipe import AUGMENTATIONS
from tests.tiny_datasets import HEIGHT, WIDTH

CONFIG = ChipConfig(
    size=64,
    upscale_factor=4,
    quarter_turns=True,
    class_power=0,
    jitter=0.05,
    cutout=0.5,
    seed=3,
)


@pytest.fixture
def scenes(card):
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        yield scenes


def test_a_chip_is_an_lr_image_an_hr_image_a_target_and_what_is_trained(scenes):
    lr, hr, target, trained = Chips(scenes, classes=2, config=CONFIG)[0]
    assert lr.shape == (2, 16, 16)
    assert hr.shape == (2, 64, 64)
    assert (target.shape, target.dtype) == ((64, 64), torch.int64)
    assert set(target.unique().tolist()) <= {0, 1, NODATA}
    assert (trained.shape, trained.dtype) == ((64, 64), torch.bool)


def test_a_chip_depends_on_its_number_and_the_seed_alone(scenes):
    chips, again = (Chips(scenes, classes=2, config=CONFIG) for _ in range(2))
    other = Chips(scenes, classes=2, config=replace(CONFIG, seed=4))
    chips[5]  # chips read before make no difference
    assert all(torch.equal(a, b) for a, b in zip(chips[9], again[9], strict=True))
    assert not torch.equal(chips[9][1], other[9][1])
    assert not torch.equal(chips[9][1], chips[10][1])


def test_a_chip_is_the_same_held_in_memory_or_read_from_the_file(scenes, monkeypatch):
    held = Chips(scenes, classes=2, config=CONFIG)
    monkeypatch.setattr(chips_module, "HELD_BYTES", HEIGHT * WIDTH * (4 * 2 + 2) - 1)
    read = Chips(scenes, classes=2, config=CONFIG)
    assert (len(held._held), len(read._held)) == (1, 0)
    for number in range(10):
        assert all(torch.equal(a, b) for a, b in zip(held[number], read[number], strict=True))


def test_chips_of_all_factors_show_the_same_ground(scenes):
    """Protocols and factors see the same chips, so they can be compared."""
    config = replace(CONFIG, jitter=0, cutout=0)
    native, lr4, lr8 = (
        Chips(scenes, classes=2, config=replace(config, upscale_factor=factor))
        for factor in (1, 4, 8)
    )
    for number in range(10):
        assert torch.equal(native[number][1], lr4[number][1])
        assert torch.equal(native[number][2], lr8[number][2])
    begins = [lr8._draw(np.random.default_rng(number))[1].row_off % 8 for number in range(40)]
    assert len(set(begins)) > 4


def test_without_quarter_turns_a_chip_is_flipped_and_turned_by_180_degrees():
    image = torch.arange(9).reshape(3, 3)
    drawn = [draw_pose(np.random.default_rng(k), quarter_turns=False) for k in range(60)]
    poses = {tuple(turn(image, pose=pose).ravel().tolist()) for pose in drawn}
    expected = [image, image.flip(0), image.flip(1), image.flip(0, 1)]
    assert poses == {tuple(pose.ravel().tolist()) for pose in expected}
    assert {draw_pose(np.random.default_rng(k), quarter_turns=True) for k in range(60)} == set(
        range(8)
    )


def test_a_chip_always_has_a_class(scenes):
    chips = Chips(scenes, classes=2, config=CONFIG)
    assert all((chips[number][2] != NODATA).any() for number in range(20))


def test_no_label_of_the_validation_half_is_learned(scenes):
    """A chip's image may reach into it, but its target is ignored there."""
    chips = Chips(scenes, classes=2, config=replace(CONFIG, jitter=0, cutout=0))
    scene = scenes[0]
    everywhere = replace(scene, split=replace(scene.split, source="train"))
    reached = 0
    for number in range(30):
        _, window = chips._draw(np.random.default_rng((CONFIG.seed, number)))
        held_out = np.arange(window.col_off, window.col_stop) >= 96 - 8
        reached += bool(held_out.any())
        assert (scene.read_target(window, "train")[:, held_out] == NODATA).all()
        assert (everywhere.read_target(window, "train") != NODATA).any()
    assert reached


def test_rare_classes_are_drawn_as_often_as_others_at_power_0(scenes):
    chips = Chips(scenes, classes=2, config=replace(CONFIG, class_power=0))
    assert np.allclose(chips._class_share, 0.5)
    counts = [position.count for position in chips._positions]
    pixels = Chips(scenes, classes=2, config=replace(CONFIG, class_power=1))
    assert np.allclose(pixels._class_share, np.array(counts) / sum(counts))


@given(
    length=st.integers(1, 300),
    share=st.floats(0, 0.999),
    factor=st.sampled_from([1, 2, 3, 4, 8]),
    seed=st.integers(0, 99),
)
def test_a_chip_lies_inside_on_the_lr_grid_and_holds_its_pixel(length, share, factor, seed):
    position = int(share * length)
    generator = np.random.default_rng(seed)
    start = place_chip(position, length, size=64, factor=factor, generator=generator)
    assert start % factor == 0
    assert 0 <= start <= max(length - 64, 0)
    left_over = position >= (length - 64) // factor * factor + 64
    assert left_over or start <= position < start + 64


def test_far_more_pixels_than_are_remembered_are_drawn_evenly(monkeypatch):
    monkeypatch.setattr(chips_module, "POSITIONS_PER_CLASS", 300)
    known = ClassPositions(np.empty((0, 3), np.int32), 0)
    for strip, size in enumerate([1000, 200, 800]):
        more = np.full((size, 3), strip, np.int32)
        known = _merge(known, more, np.random.default_rng(strip))
    assert known.count == 2000
    shares = np.bincount(known.pixels[:, 0]) / len(known.pixels)
    assert len(known.pixels) == 300
    assert np.allclose(shares, [0.5, 0.1, 0.4], atol=0.08)


def test_a_class_of_more_pixels_than_numpy_counts_is_drawn_evenly(monkeypatch):
    monkeypatch.setattr(chips_module, "POSITIONS_PER_CLASS", 300)
    known = ClassPositions(np.zeros((300, 3), np.int32), 10**9)
    more = np.ones((1000, 3), np.int32)
    merged = _merge(known, more, np.random.default_rng(0))
    assert (merged.count, len(merged.pixels)) == (10**9 + 1000, 300)
    assert merged.pixels[:, 0].sum() <= 1  # a millionth of all
    halved = _merge(
        replace(known, count=10**9), np.ones((10**6, 3), np.int32), np.random.default_rng(0)
    )
    assert halved.pixels[:, 0].sum() <= 3


def test_a_resized_image_trains_only_where_nothing_else_is_mixed_in(scenes):
    """Enlarging and reducing filter the image: pixels at the guard show ground beyond it."""
    config = replace(CONFIG, jitter=0, cutout=0, augment={"scale": 1.0})
    chips = Chips(scenes, classes=2, config=config)
    checked = 0
    for number in range(60):
        generator = np.random.default_rng((CONFIG.seed, number))
        _, window = chips._draw(generator)
        chip = _padded(scenes[0].read_chip(window.clipped(HEIGHT, WIDTH), "train"), window)
        foreign = torch.from_numpy((~chip.in_split).astype(np.float32))[None]
        mixed = resize_image(foreign, CONFIG.size)[0]
        trained = chips[number][3]
        checked += bool(trained.any() and (mixed > 0).any())
        assert trained.sum() == (mixed < 1e-4).sum()
    assert checked > 5


def test_a_class_that_never_trains_is_never_drawn(scenes):
    chips = Chips(scenes, classes=3, config=CONFIG)
    assert chips._class_share[2] == 0


def test_neither_image_nor_label_is_learned_where_nothing_trains(scenes):
    """The part that trains, left of the guard, turns with the chip."""
    chips = Chips(scenes, classes=2, config=replace(CONFIG, jitter=0, cutout=0))
    seen = set()
    for number in range(40):
        _, window = chips._draw(np.random.default_rng((CONFIG.seed, number)))
        _, _, target, trained = chips[number]
        inside = np.clip(96 - 8 - window.col_off, 0, 64)
        assert trained.sum() == inside * 64
        assert (target[~trained] == NODATA).all()
        seen.add(inside == 64)
    assert seen == {True, False}


def test_an_image_smaller_than_a_chip_is_padded_with_what_is_not_trained(scenes):
    config = replace(CONFIG, size=256, jitter=0, cutout=0)
    lr, hr, target, trained = Chips(scenes, classes=2, config=config)[1]
    assert lr.shape == (2, 64, 64)
    assert hr.shape == (2, 256, 256)
    assert trained.sum() == HEIGHT * (96 - 8)
    assert (target != NODATA).sum() == (HEIGHT - 5) * (96 - 8)
    whole = scenes[0].read_chip(Window(0, 0, HEIGHT, WIDTH), "train")
    padded = _padded(whole, Window(0, 0, 256, 256))
    assert (padded.hr[:, HEIGHT:, :WIDTH] == padded.hr[:, [HEIGHT - 1], :WIDTH]).all()
    assert (padded.hr[:, :, WIDTH:] == padded.hr[:, :, [WIDTH - 1]]).all()


def test_a_dataset_without_training_pixels_is_refused(scenes):
    unlabelled = [replace(scenes[0], split=replace(scenes[0].split, source="test"))]
    with pytest.raises(DatasetError, match="no pixel of the training split"):
        Chips(unlabelled, classes=2, config=CONFIG)


def test_epochs_go_on_where_the_last_one_ended():
    sampler = EpochSampler(3)
    assert list(sampler) == [0, 1, 2]
    sampler.set_epoch(2)
    assert list(sampler) == [6, 7, 8]
    assert len(sampler) == 3


@given(length=st.integers(1, 40), processes=st.integers(1, 5), epoch=st.integers(0, 3))
def test_processes_share_an_epoch(length, processes, epoch):
    """Together they take all chips, and each takes the same number."""
    drawn = []
    for rank in range(processes):
        sampler = EpochSampler(length)
        sampler.share(rank=rank, processes=processes)
        sampler.set_epoch(epoch)
        drawn.append(list(sampler))
        assert len(drawn[-1]) == len(sampler)
    assert len({len(numbers) for numbers in drawn}) == 1
    taken = [number for numbers in drawn for number in numbers]
    assert set(taken) == set(range(epoch * length, (epoch + 1) * length))
    assert len(taken) < length + processes


def test_a_run_that_goes_on_leaves_out_what_is_done_once():
    sampler = EpochSampler(4)
    sampler.skip(3)
    assert (list(sampler), list(sampler)) == ([3], [0, 1, 2, 3])


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_variation_changes_chips_by_their_number_and_seed_alone(scenes, name):
    plain = replace(CONFIG, jitter=0, cutout=0)
    config = replace(plain, augment={name: 3.0}, bands=("red", "nir"))
    chips, again, bare = (Chips(scenes, classes=2, config=c) for c in (config, config, plain))
    chips[3]
    same = [
        all(torch.equal(a, b) for a, b in zip(chips[n], again[n], strict=True)) for n in range(8)
    ]
    assert all(same)
    assert not all(torch.equal(chips[number][0], bare[number][0]) for number in range(8))


def test_a_varied_chip_is_as_large_as_another_and_its_labels_lie_on_its_image(scenes):
    config = replace(CONFIG, jitter=0, cutout=0, augment={"scale": 1.0})
    sizes = set()
    for number in range(12):
        lr, hr, target, trained = Chips(scenes, classes=2, config=config)[number]
        assert (lr.shape, hr.shape, target.shape) == ((2, 16, 16), (2, 64, 64), (64, 64))
        bright = hr[0] > 0.5  # reflectance above 0.25: squares of 0.4, and 0.1 between them
        labelled = target != NODATA
        assert trained[labelled].all()
        agree = bright[labelled] == (target[labelled] == 1)
        assert agree.float().mean() > 0.97  # all but the blurred edges
        sizes.add(int((bright[:, 1:] != bright[:, :-1]).sum()))
    assert len(sizes) > 3  # squares of different sizes
