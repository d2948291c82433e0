"""The paper's datasets, read as their distributors ship them."""

import shutil

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.datasets import read_dataset
from geosrseg.datasets.named.datasets import DATASETS
from geosrseg.datasets.named.folder_layout import BLOCK
from geosrseg.datasets.scenes import measure_normalization, open_labelled_scenes
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.datasets.named.shipped import (
    thetford_ids,
    vaihingen_image,
    vaihingen_labels,
    write,
    write_thetford,
    write_vaihingen,
    zip_folder,
)

ERODED = "ISPRS_semantic_labeing_Vaihingen_ground_truth_eroded_for_participants"


def read_all(card):
    """Yield each scene, its image, and its targets of the three splits."""
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        for scene in scenes:
            whole = Window(0, 0, scene.grid.height, scene.grid.width)
            targets = {
                split: scene.read_target(whole, split) for split in ("train", "validation", "test")
            }
            yield scene, scene.read_hr(whole), targets


def area_of(scene):
    return int(scene.path.stem.removeprefix("top_mosaic_09cm_area"))


class TestVaihingen:
    def splits(self, card):
        return {
            split: sorted(
                int(scene.image.stem.rpartition("area")[2])
                for scene in card.scenes
                if scene.split == split
            )
            for split in ("train", "validation", "test")
        }

    def test_the_split_is_the_papers_with_two_areas_held_out(self, tmp_path):
        write_vaihingen(tmp_path)
        assert self.splits(read_dataset("vaihingen", data=tmp_path)) == {
            "train": [1, 3, 5, 13, 17, 21, 26, 32, 37],
            "validation": [7, 23],
            "test": [11, 15, 28, 30, 34],
        }

    def test_images_and_colours_are_what_was_written(self, tmp_path):
        write_vaihingen(tmp_path)
        card = read_dataset("vaihingen", data=tmp_path)
        assert card.bands == ("nir", "red", "green")
        assert len(card.legend) == 5
        for scene, hr, targets in read_all(card):
            area = area_of(scene)
            labels = vaihingen_labels(area)
            assert np.allclose(hr, vaihingen_image(area) / 255, atol=1e-6)
            expected = np.where(labels == 5, NODATA, labels)
            assert np.array_equal(targets[scene.split.source], expected)

    @pytest.mark.parametrize("references", [".", "gts_for_participants", "GT complete"])
    def test_references_may_lie_in_any_folder_but_top(self, tmp_path, references):
        write_vaihingen(tmp_path, references=references)
        card = read_dataset("vaihingen", data=tmp_path)
        assert {scene.reference.parent for scene in card.scenes} == {tmp_path / references}
        assert {scene.image.parent.name for scene in card.scenes} == {"top"}

    def test_the_zips_are_read_as_they_are(self, tmp_path):
        write_vaihingen(tmp_path / "images", references="../labels", eroded="../eroded")
        name = "ISPRS_semantic_labeling_Vaihingen"
        zip_folder(tmp_path / "images", tmp_path / f"{name}.zip")
        zip_folder(tmp_path / "labels", tmp_path / f"{name}_ground_truth_COMPLETE.zip")
        zip_folder(tmp_path / "eroded", tmp_path / f"{name}_ground_truth_eroded_COMPLETE.zip")
        card = read_dataset("vaihingen", data=tmp_path)
        for scene, hr, targets in read_all(card):
            assert np.allclose(hr, vaihingen_image(area_of(scene)) / 255, atol=1e-6)
            eroded = (targets[scene.split.source][20:23] == NODATA).all()
            assert eroded == (scene.split.source != "train")

    def test_eroded_references_are_used_for_what_is_scored_and_never_trained(self, tmp_path):
        write_vaihingen(tmp_path, eroded=ERODED)
        card = read_dataset("vaihingen", data=tmp_path)
        for scene in card.scenes:
            assert scene.reference.stem.endswith("_noBoundary") == (scene.split != "train")

    def test_eroded_references_are_all_used_or_none(self, tmp_path):
        write_vaihingen(tmp_path, eroded=ERODED)
        (tmp_path / ERODED / "top_mosaic_09cm_area28_noBoundary.tif").unlink()
        card = read_dataset("vaihingen", data=tmp_path)
        assert not any(scene.reference.stem.endswith("_noBoundary") for scene in card.scenes)

    def test_a_missing_area_is_named_with_what_was_found_and_where_it_comes_from(self, tmp_path):
        write_vaihingen(tmp_path)
        (tmp_path / "gts" / "top_mosaic_09cm_area28.tif").unlink()
        with pytest.raises(
            DatasetError, match=r"for the areas 28, .*found dsm/.* and \d+ more files; .*ISPRS"
        ):
            read_dataset("vaihingen", data=tmp_path)

    def test_an_unknown_colour_is_ignored_and_counted(self, tmp_path):
        write_vaihingen(tmp_path)
        odd = np.zeros((3, 60, 70), np.uint8)
        odd[:, :2] = 77
        write(tmp_path / "gts" / "top_mosaic_09cm_area1.tif", odd)
        card = read_dataset("vaihingen", data=tmp_path)
        with pytest.warns(DatasetWarning, match=r"140 pixels .* #4d4d4d \(140 pixels, first in"):
            found = list(read_all(card))
        (target,) = (targets["train"] for scene, _, targets in found if area_of(scene) == 1)
        assert (target == NODATA).all()


class TestThetford:
    @pytest.mark.parametrize("header", [True, False])
    def test_ids_of_both_parts_are_what_was_written(self, tmp_path, header):
        write_thetford(tmp_path, header=header)
        card = read_dataset("thetford", data=tmp_path)
        assert card.legend.ids == (1, 2, 3, 4, 5, 6)
        (train, _, trained), (test, _, tested) = read_all(card)
        assert (train.grid.height, test.grid.height) == (600, 300)
        ids = thetford_ids((600, 560))[0]
        seen = np.minimum(trained["train"], trained["validation"])
        counted = seen != NODATA
        assert np.array_equal(seen[counted] + 1, ids[counted])
        assert not np.isin(ids[counted], [0, 7]).any()
        ids = thetford_ids((300, 350))[0]
        expected = np.where(np.isin(ids, [0, 7]), NODATA, ids - 1)
        assert np.array_equal(tested["test"], expected)

    def test_blocks_of_the_training_part_validate(self, tmp_path):
        write_thetford(tmp_path)
        (_, _, targets), _ = read_all(read_dataset("thetford", data=tmp_path))
        validated = targets["validation"] != NODATA
        trained = targets["train"] != NODATA
        assert trained.any()
        assert validated.any()
        assert not (trained & validated).any()

    def test_the_zips_are_read_as_they_are(self, tmp_path):
        write_thetford(tmp_path / "data", header=False, test="gt/Test labels.RAW")
        zip_folder(tmp_path / "data", tmp_path / "IEEE_GRSS_IADFTC_Contest2014_full_data_set.zip")
        _, test = read_all(read_dataset("thetford", data=tmp_path))
        assert (test[2]["test"] != NODATA).any()

    def test_without_test_labels_there_is_no_test_part(self, tmp_path):
        write_thetford(tmp_path, test="")
        with pytest.warns(DatasetWarning, match="thetford has no test part: no file in"):
            card = read_dataset("thetford", data=tmp_path)
        assert len(card.scenes) == 1

    def test_a_raw_map_of_another_size_is_refused(self, tmp_path):
        write_thetford(tmp_path, header=False)
        (tmp_path / "TrainingMap_ENVI_RAW_format.raw").write_bytes(bytes(600 * 560 - 1))
        with pytest.raises(DatasetError, match=r"335999 bytes and no header .* 600 x 560 = 336000"):
            read_dataset("thetford", data=tmp_path)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("TrainingMap_ENVI_RAW_format.raw", "needs TrainingMap_ENVI_RAW_format.raw in"),
            ("TelopsDatasetCityVisible_20cm_Subset.img", "needs TelopsDatasetCityVisible_20cm"),
            ("TelopsDatasetCityVisible_20cm_Subset.hdr", r"needs the header of Telops.*\.hdr"),
            ("TelopsDatasetCityVisible.img", "needs TelopsDatasetCityVisible.img"),
        ],
    )
    def test_a_missing_file_is_named(self, tmp_path, name, message):
        write_thetford(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(DatasetError, match=f"{message}.*found .*IEEE GRSS"):
            read_dataset("thetford", data=tmp_path)


def coffee_image(city):
    return np.random.default_rng(len(city)).integers(0, 256, (3, 700, 640)).astype(np.uint8)


def write_coffee(folder, *, largest=255, mask="{}_mask.tif"):
    for city in ("Guaxupé", "Monte Santo", "guaranesia"):
        write(folder / f"{city}.tif", coffee_image(city))
        values = np.random.default_rng(0).integers(0, largest + 1, (1, 700, 640)).astype(np.uint8)
        write(folder / mask.format(city), values)


class TestCoffee:
    @pytest.mark.parametrize("mask", ["{}_mask.tif", "masks/{}.png", "GT {}.TIF"])
    def test_cities_train_or_test_and_masks_are_thresholded(self, tmp_path, mask):
        write_coffee(tmp_path, mask=mask)
        card = read_dataset("coffee", data=tmp_path)
        assert card.bands == ("green", "red", "nir")
        for (scene, _, targets), city in zip(
            read_all(card), ("guaxupe", "montesanto", "guaranesia"), strict=True
        ):
            values = np.random.default_rng(0).integers(0, 256, (1, 700, 640))[0]
            expected = (values > 127).astype(np.uint8)
            counted = {split: target != NODATA for split, target in targets.items()}
            for split, target in targets.items():
                assert np.array_equal(target[counted[split]], expected[counted[split]])
            assert counted["test"].all() == (city == "guaranesia")
            assert counted["train"].any() == counted["validation"].any() == (city != "guaranesia")
            assert scene.path.stem[0].lower() == city[0]

    def test_masks_of_ones_and_zeros_are_what_they_say(self, tmp_path):
        write_coffee(tmp_path, largest=1)
        assert read_dataset("coffee", data=tmp_path).coding.classes == ((0,), (1,))

    def test_a_missing_mask_is_named(self, tmp_path):
        write_coffee(tmp_path)
        (tmp_path / "Monte Santo_mask.tif").unlink()
        with pytest.raises(DatasetError, match=r"lacks the mask of montesanto .*never released"):
            read_dataset("coffee", data=tmp_path)

    def test_the_public_tiles_are_recognized(self, tmp_path):
        (tmp_path / "x").mkdir()
        write(tmp_path / "x" / "fold1" / "coffee.1.jpg", np.zeros((3, 64, 64), np.uint8))
        zip_folder(tmp_path / "x", tmp_path / "brazilian_coffee_scenes.zip")
        with pytest.raises(DatasetError, match="public Brazilian Coffee Scenes, tiles of 64 x 64"):
            read_dataset("coffee", data=tmp_path)


def write_layout(folder, *, count=6, values=(0, 1, 2, 255), parts=("train", "test")):
    generator = np.random.default_rng(0)
    for part in parts:
        for number in range(count):
            name = f"Image {number:02}"
            image = generator.integers(0, 256, (3, 64, 48)).astype(np.uint8)
            write(folder / part / f"{name}.JPG", image, driver="JPEG")
            mask = generator.choice(np.array(values, np.uint8), (1, 64, 48))
            write(folder / f"{part}_msk" / f"{name}.png", mask, driver="PNG")


class TestFolderLayout:
    def test_a_fifth_of_the_training_images_validates(self, tmp_path):
        write_layout(tmp_path)
        card = read_dataset(tmp_path, data=tmp_path)
        assert [scene.split for scene in card.scenes] == [
            *["train"] * 4,
            "validation",
            "train",
            *["test"] * 6,
        ]
        assert card.legend.ids == (0, 1, 2)
        assert card.bands == ("band1", "band2", "band3")

    def test_a_validation_folder_is_used_where_there_is_one(self, tmp_path):
        write_layout(tmp_path, parts=("train", "val", "test"))
        card = read_dataset(tmp_path, data=tmp_path)
        assert [scene.split for scene in card.scenes] == [
            *["train"] * 6,
            *["validation"] * 6,
            *["test"] * 6,
        ]

    def test_few_images_are_held_out_by_blocks(self, tmp_path):
        write_layout(tmp_path, count=1)
        train, test = read_dataset(tmp_path, data=tmp_path).scenes
        assert train.split == BlockSplit(BLOCK)
        assert test.split == "test"

    def test_a_guard_lies_around_these_blocks(self, tmp_path):
        write_layout(tmp_path, count=1, values=(0, 1, 2))
        card = read_dataset(tmp_path, data=tmp_path)
        assert card.guard == 1  # at most an eighth of a block
        (_, _, targets), _ = read_all(card)
        train, validation = (targets[split] != NODATA for split in ("train", "validation"))
        neighbours = np.lib.stride_tricks.sliding_window_view(np.pad(validation, 1), (3, 3))
        assert np.array_equal(train, ~neighbours.any(axis=(2, 3)))

    @pytest.mark.parametrize(
        ("name", "values", "classes"),
        [
            ("vaihingen", (0, 1, 2, 3, 4, 5, 255), {0, 1, 2, 3, 4}),
            ("thetford", (0, 1, 2, 3, 4, 5, 6, 7), {1, 2, 3, 4, 5, 6}),
            ("coffee", (0, 100, 200, 255), {0, 100, 200, 255}),
        ],
    )
    def test_a_dataset_of_the_paper_may_lie_in_it(self, tmp_path, name, values, classes):
        write_layout(tmp_path, values=values)
        card = read_dataset(name, data=tmp_path)
        assert card.name == name
        assert len(card.legend) == {"vaihingen": 5, "thetford": 6, "coffee": 2}[name]
        *_, (scene, _, targets) = read_all(card)
        with scene.reference.files.use(scene.reference.path) as dataset:
            mask = dataset.read(1)
        assert set(mask[targets["test"] != NODATA].tolist()) == classes
        assert set(np.unique(targets["test"])) <= {*range(len(card.legend)), NODATA}

    def test_masks_of_0_and_255_are_binary(self, tmp_path):
        write_layout(tmp_path, values=(0, 255))
        card = read_dataset(tmp_path, data=tmp_path)
        assert card.coding.classes == ((0,), (255,))
        *_, (_, _, targets) = read_all(card)
        assert set(np.unique(targets["test"])) == {0, 1}

    def test_an_image_without_a_mask_is_named(self, tmp_path):
        write_layout(tmp_path)
        (tmp_path / "train_msk" / "Image 03.png").unlink()
        with pytest.raises(DatasetError, match=r"6 images .* 5 masks, and image 03 is not in both"):
            read_dataset(tmp_path, data=tmp_path)

    @pytest.mark.parametrize(
        ("odd", "message"),
        [
            (0, r"Image 01.JPG has 3 bands: .*, and .*Image 00.JPG has 1: all images of a dataset"),
            (3, r"Image 03.JPG has 1 band: .*, and .*Image 00.JPG has 3: all images of a dataset"),
        ],
    )
    def test_all_images_have_the_bands_of_the_first(self, tmp_path, odd, message):
        write_layout(tmp_path, values=(0, 1))
        gray = np.full((1, 64, 48), 90, np.uint8)
        write(tmp_path / "train" / f"Image {odd:02}.JPG", gray, driver="JPEG")
        card = read_dataset(tmp_path, data=tmp_path)
        with pytest.raises(DatasetError, match=message):
            list(read_all(card))

    def test_a_missing_folder_is_named(self, tmp_path):
        write_layout(tmp_path, parts=("train", "test"))
        shutil.rmtree(tmp_path / "test_msk")
        with pytest.raises(DatasetError, match=r"has no folder test_msk: .*found test, train"):
            read_dataset(tmp_path, data=tmp_path)

    def test_there_may_be_no_test_part(self, tmp_path):
        write_layout(tmp_path, parts=("train",))
        scenes = read_dataset(tmp_path, data=tmp_path).scenes
        assert {scene.split for scene in scenes} == {"train", "validation"}

    def test_two_files_of_one_name_are_refused(self, tmp_path):
        write_layout(tmp_path)
        (tmp_path / "train" / "image 03.png").touch()
        with pytest.raises(DatasetError, match=r"has Image 03.JPG and image 03.png, which differ"):
            read_dataset(tmp_path, data=tmp_path)

    @pytest.mark.parametrize(
        ("values", "ids", "message"),
        [
            ((0, 100), (0, 100), "hold 0, 100, with gaps: each value is a class"),
            ((1, 2, 3), (1, 2, 3), "hold 1, 2, 3 and no 0"),
            ((0, 2, 9, 255), (0, 2, 9), "hold 0, 2, 9, with gaps"),
        ],
    )
    def test_classes_are_the_values_that_there_are(self, tmp_path, values, ids, message):
        write_layout(tmp_path, values=values)
        with pytest.warns(DatasetWarning, match=message):
            card = read_dataset(tmp_path, data=tmp_path)
        assert card.legend.ids == ids
        assert card.coding.classes == tuple((value,) for value in ids)

    @pytest.mark.parametrize("values", [(0,), (3, 255), (255,)])
    def test_one_class_is_none(self, tmp_path, values):
        write_layout(tmp_path, values=values)
        with pytest.raises(DatasetError, match="hold only one class"):
            read_dataset(tmp_path, data=tmp_path)

    def test_masks_of_two_codings_are_named(self, tmp_path):
        write_layout(tmp_path, values=(0, 1))
        path = tmp_path / "train_msk" / "Image 04.png"
        write(path, np.full((1, 64, 48), 255, np.uint8) * (np.arange(48) > 20), driver="PNG")
        with pytest.warns(DatasetWarning, match=r"Image 04.png holds only 0 and 255 \(1 of 12 "):
            read_dataset(tmp_path, data=tmp_path)

    def test_masks_with_loss_are_refused(self, tmp_path):
        write_layout(tmp_path, values=(0, 255))
        for path in (tmp_path / "train_msk").iterdir():
            rough = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (1, 240, 240))
            path.unlink()
            write(path.with_suffix(".jpg"), rough, driver="JPEG")
        with pytest.raises(
            DatasetError, match=r"lossy compression .*6 of 12 masks.*PNG or GeoTIFF"
        ):
            read_dataset(tmp_path, data=tmp_path)
        for path in (tmp_path / "train_msk").iterdir():  # a later conversion does not help
            with unreferenced_allowed(), rasterio.open(path) as file:
                values = file.read()
            path.unlink()
            write(path.with_suffix(".png"), values, driver="PNG")
        with pytest.raises(DatasetError, match=r"different values .*as after a lossy format"):
            read_dataset(tmp_path, data=tmp_path)

    def test_masks_of_colours_want_a_card(self, tmp_path):
        write_layout(tmp_path)
        path = tmp_path / "train_msk" / "Image 00.png"
        write(path, np.zeros((3, 64, 48), np.uint8), driver="PNG")
        with pytest.raises(DatasetError, match="3 bands, expected one with class ids: describe"):
            read_dataset(tmp_path, data=tmp_path)


@given(st.integers(1, 700), st.integers(5, 3000), st.integers(5, 3000))
def test_every_image_keeps_blocks_for_training_and_holds_one_out(size, height, width):
    split = BlockSplit(size).fitted(height, width)
    assert split.size <= size
    # The first five blocks along each axis show the whole pattern.
    rows, cols = min(height, 5 * split.size), min(width, 5 * split.size)
    values = split.read(Window(0, 0, rows, cols))[:: split.size, :: split.size]
    assert set(values.ravel()) == {1, 2}
    assert (values == 2).sum() <= -(-values.size // 5) + 1


class TestNames:
    def test_an_unknown_name_gets_a_suggestion(self, tmp_path):
        with pytest.raises(DatasetError, match=r"no dataset vaihinge, .*did you mean vaihingen"):
            read_dataset("vaihinge", data=tmp_path)

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(
            DatasetError,
            match=r"nowhere, which does not exist: put .* or name another folder by `data`",
        ):
            read_dataset("vaihingen", data=tmp_path / "nowhere")

    @pytest.mark.parametrize("name", DATASETS.names)
    def test_without_a_folder_it_says_where_it_looked_and_what_belongs_there(
        self, name, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DatasetError) as error:
            read_dataset(name)
        assert str(tmp_path / "data" / name) in str(error.value)
        assert f"which comes from {DATASETS.load(name).source}" in str(error.value)

    def test_a_file_in_place_of_the_folder(self, tmp_path):
        (tmp_path / "zips").touch()
        with pytest.raises(DatasetError, match="zips is a file, expected the folder of"):
            read_dataset("vaihingen", data=tmp_path / "zips")

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(DatasetError, match="found no file at all; the data comes from"):
            read_dataset("vaihingen", data=tmp_path)

    def test_a_card(self, card, tmp_path):
        assert read_dataset(tmp_path / "squares.toml", data=tmp_path) == card
