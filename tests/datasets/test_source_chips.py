"""Chips of several sources: grid of the labels, borders, weights and splits."""

import signal
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.augment.landsat_view import adjust_bands, reduce_image
from geosrseg.datasets.card.card import read_card
from geosrseg.datasets.chips import ChipConfig
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.datasets.source_chips import SourceChips
from geosrseg.errors import DatasetError
from tests.tiny_sources import CARD, CHIP, FACTOR, write_sources

PLAIN = ChipConfig(
    size=96,
    upscale_factor=FACTOR,
    quarter_turns=True,
    class_power=0.5,
    jitter=0,
    cutout=0,
    seed=0,
)


@pytest.fixture
def scenes(tmp_path):
    card = read_card(write_sources(tmp_path), data=tmp_path)
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as opened:
        yield opened


def drawn_from(scenes, source, config=PLAIN, count=40):
    own = [scene for scene in scenes if scene.source_name == source]
    chips = SourceChips(own, classes=2, config=config)
    return [chips[number] for number in range(count)]


def test_labels_of_lr_images_lie_on_the_lr_grid(scenes):
    for chip in drawn_from(scenes, "coarse", replace(PLAIN, size=48)):
        assert chip.lr.shape == (2, 16, 16)
        assert chip.coarse.shape == (16, 16)
        assert (chip.coarse != NODATA).all()
        assert (chip.target == NODATA).all()
        assert not chip.trained.any()
        # dark pixels have class 0, in any pose of the chip
        assert ((chip.lr[0] > 0.25) == (chip.coarse == 1)).all()


def test_labels_of_native_images_lie_on_the_target_grid(scenes):
    for chip in drawn_from(scenes, "fine", replace(PLAIN, size=48)):
        assert chip.lr.shape == (2, 16, 16)
        assert chip.hr.shape == (2, 48, 48)
        assert (chip.coarse == NODATA).all()
        known = chip.target != NODATA
        assert ((chip.hr[0] > 0.25) == (chip.target == 1))[known].all()


def test_the_lr_image_is_landsats_view_of_the_hr_image(scenes):
    for chip in drawn_from(scenes, "fine", replace(PLAIN, size=48), count=10):
        torch.testing.assert_close(chip.lr, reduce_image(chip.hr, factor=FACTOR))


def test_the_hr_image_has_landsats_bands(scenes):
    fine = next(scene for scene in scenes if scene.source_name == "fine")
    window = Window(0, 0, 8, 8)
    raw = fine.image.read_reflectance(window)[0]
    expected = adjust_bands(raw, sensor="S2A", bands=("red", "nir"))
    np.testing.assert_allclose(fine.read_hr(window), expected.clip(0, 1), atol=1e-6)


def test_confidence_is_the_weight_of_a_pixel(scenes):
    chip = drawn_from(scenes, "fine", count=1)[0]
    assert sorted(chip.weight.unique().tolist()) == pytest.approx([0.2, 0.8])
    coarse = drawn_from(scenes, "coarse", replace(PLAIN, size=48), count=1)[0]
    assert (coarse.coarse_weight == 1).all()


def test_nothing_is_read_across_a_packed_chips_border(scenes):
    """Every packed chip has one brightness, so every drawn chip has one too."""
    packed = [scene for scene in scenes if scene.source_name == "packed"]
    assert [scene.grid.height for scene in packed] == [CHIP] * 3  # the empty one is left out
    for chip in drawn_from(scenes, "packed"):
        assert chip.hr.unique().numel() == 1
        assert float(chip.hr[0, 0, 0]) == pytest.approx(round(float(chip.hr[0, 0, 0]), 1))
        assert chip.trained.sum() == CHIP**2  # beyond its edge the image is mirrored
        assert ((chip.target != NODATA) == chip.trained).all()


def test_a_packed_chips_reference_is_surveyed_where_it_lies(scenes):
    packed = [scene for scene in scenes if scene.source.chip_grid]
    assert len(packed) > 1
    for scene in packed:
        whole = Window(0, 0, scene.grid.height, scene.grid.width)
        codes = scene.reference.read_codes(whole)
        assert np.array_equal(scene.source.coding.decode(codes), scene.reference.read(whole))


def test_sources_are_drawn_by_their_weight(scenes):
    chips = SourceChips(scenes, classes=2, config=replace(PLAIN, size=48))
    kinds = Counter()
    for number in range(400):
        chip = chips[number]
        kinds["coarse" if (chip.coarse != NODATA).any() else "other"] += 1
    assert kinds["coarse"] == pytest.approx(200, abs=50)


def test_validation_images_never_train(scenes):
    """Held-out images have a value that no training image has."""
    for scene in scenes:
        if scene.split.may_hold("validation"):
            scene.image.numbers[:] = 9_999
    chips = SourceChips(scenes, classes=2, config=PLAIN)
    assert all(chips[number].lr.max() < 0.6 for number in range(150))


def test_a_chip_depends_on_seed_and_number_alone(scenes):
    config = replace(PLAIN, jitter=0.05, cutout=0.5)
    first, again = (SourceChips(scenes, classes=2, config=config) for _ in range(2))
    again[7]
    for one, other in zip(first[3], again[3], strict=True):
        assert torch.equal(one, other)
    other = SourceChips(scenes, classes=2, config=replace(config, seed=1))
    assert any(not torch.equal(first[n].lr, other[n].lr) for n in range(3))


def test_light_changes_the_lr_and_the_hr_image_alike(scenes):
    lit = replace(PLAIN, size=48, jitter=0.05)
    for chip in drawn_from(scenes, "fine", lit, count=20):
        expected = reduce_image(chip.hr, factor=FACTOR)
        assert (chip.lr - expected).abs().max() < 0.03  # noise and clipping


@pytest.fixture
def _own_signals():
    """PyTorch's loader leaves a handler of SIGCHLD behind, which crashes later tests that fork."""
    before = signal.getsignal(signal.SIGCHLD)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("_own_signals")
def test_workers_make_the_same_chips(scenes):
    chips = SourceChips(scenes, classes=2, config=replace(PLAIN, jitter=0.05))
    alone, shared = (
        list(DataLoader(chips, batch_size=2, sampler=range(8), num_workers=workers))
        for workers in (0, 2)
    )
    for one, other in zip(alone, shared, strict=True):
        for left, right in zip(one, other, strict=True):
            torch.testing.assert_close(left, right)


def test_a_chip_grid_that_does_not_divide_the_file_is_refused(tmp_path):
    path = write_sources(tmp_path, card=CARD.replace("chip_grid = 24", "chip_grid = 20"))
    card = read_card(path, data=tmp_path)
    with pytest.raises(DatasetError, match="48x48 pixels, expected multiples of the chip_grid 20"):
        measure_normalization(card)


def test_a_band_without_a_known_wavelength_is_refused(tmp_path):
    path = write_sources(tmp_path, card=CARD.replace("nir = ", "lidar = "))
    card = read_card(path, data=tmp_path)
    with pytest.raises(DatasetError, match="the band lidar, whose wavelength is not known"):
        measure_normalization(card)
