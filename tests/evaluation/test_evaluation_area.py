from dataclasses import replace

import numpy as np
import pytest

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.evaluation import evaluation_area
from geosrseg.evaluation.evaluation_area import AreaConfig, plan_blocks, prepare_areas
from tests.tiny_datasets import HEIGHT, WIDTH


@pytest.fixture
def scenes(card):
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        yield scenes


@pytest.fixture
def prepare(card, scenes, tmp_path):
    def prepare(*, split="validation", factors=(4,), boundary=2, small=600):
        config = AreaConfig(
            legend=card.legend,
            split=split,
            upscale_factors=factors,
            boundary=boundary,
            small=small,
        )
        folder = tmp_path / f"areas-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return prepare_areas(scenes, config, folder=folder)

    return prepare


def test_the_pixels_of_the_split_count(scenes, prepare):
    (area,) = prepare()
    expected = scenes[0].read_target(Window(0, 0, HEIGHT, WIDTH), "validation")
    np.testing.assert_array_equal(area.target, expected)
    assert area.count_pixels().sum() == (expected != NODATA).sum()


def test_what_one_models_factor_leaves_over_counts_for_none(prepare):
    """160 x 192 pixels are multiples of 32; 7 leaves 6 and 3 over."""
    assert prepare(factors=(1, 7, 8))[0].size == (154, 189)


def test_a_scene_without_a_pixel_of_the_split_is_no_area(prepare):
    assert prepare(split="test") == []


def test_a_scene_of_another_split_is_not_read(scenes, prepare, monkeypatch):
    def refuse(*_):
        raise AssertionError("it was read")

    scenes[0] = replace(scenes[0], split=replace(scenes[0].split, source="train"))
    monkeypatch.setattr(LabelledScene, "read_target", refuse)
    assert prepare(split="test") == []


@pytest.mark.parametrize("strip", [7, 64, 1024])
def test_near_a_boundary_is_within_so_many_pixels_of_another_class(prepare, monkeypatch, strip):
    monkeypatch.setattr(evaluation_area, "STRIP", strip)
    (area,) = prepare(boundary=3)
    reference = area.scene.read_reference(Window(0, 0, HEIGHT, WIDTH))
    touching = np.zeros(reference.shape, np.bool_)
    for row, col in np.ndindex(*reference.shape):
        for near in ((row + 1, col), (row, col + 1)):
            if near[0] < HEIGHT and near[1] < WIDTH:
                pair = {int(reference[row, col]), int(reference[near])}
                if len(pair) == 2 and NODATA not in pair:
                    touching[row, col] = touching[near] = True
    expected = np.zeros(reference.shape, np.bool_)
    for row, col in np.argwhere(touching):
        expected[max(row - 2, 0) : row + 3, max(col - 2, 0) : col + 3] = True
    np.testing.assert_array_equal(area.near_boundary, expected)


def test_an_object_that_reaches_out_of_the_split_does_not_count(prepare):
    """Squares of 24 pixels, touching at corners; only those of one class hang together."""
    (area,) = prepare(small=10**6)
    inside = area.target != NODATA
    for number in range(1, len(area.objects.label)):
        mine = area.objects.numbers == number
        assert area.counted_objects[number] == inside[mine].all()


class TestBlocks:
    def test_every_counted_pixel_is_in_one(self, prepare):
        (area,) = prepare()
        (blocks,) = plan_blocks([area], side=48)
        rows, cols = np.nonzero(area.target != NODATA)
        numbers = blocks.of(rows, cols)
        assert numbers.min() == 0
        # 160 rows are 4 blocks; columns 96 to 191 are 2.
        assert np.unique(numbers).tolist() == list(range(4 * 2))

    def test_they_are_numbered_on_from_area_to_area(self, prepare):
        (area,) = prepare()
        first, second = plan_blocks([area, area], side=48)
        assert second.numbers.max() == 2 * first.numbers.max() + 1

    def test_the_largest_of_which_there_are_enough_are_taken(self, prepare, monkeypatch):
        (area,) = prepare()
        for enough, side in ((1, 512), (3, 128), (5, 64), (10**6, 16)):
            monkeypatch.setattr(evaluation_area, "ENOUGH_BLOCKS", enough)
            assert plan_blocks([area])[0].side == side
