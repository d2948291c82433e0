"""Tests maps of Landsat products and of areas of interest."""

import numpy as np
import pytest
import rasterio

from geosrseg.errors import OutputError, SceneError
from geosrseg.mapping.predict import predict
from geosrseg.raster.scene import Scene
from tests.tiny_datasets import TRANSFORM, write_raster
from tests.tiny_products import (
    CLEAR,
    CLOUD,
    HEIGHT,
    LEVEL_2,
    WIDTH,
    band_numbers,
    write_item,
    write_product,
    write_tar,
)

NAMES = ("band 1", "band 2", "band 3")
OLI = "5,4,3"
"""The sensor's numbers of the bands that the tiny model reads."""


def read_map(path):
    with rasterio.open(path) as file:
        return file.read(1)


def finer(pixels):
    return pixels.repeat(4, 0).repeat(4, 1)


def test_a_product_is_mapped_by_its_reflectance_without_its_clouds(tmp_path, tiny_model):
    cloudy = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.2
    folder = write_product(tmp_path / "p", qa_pixel=np.where(cloudy, CLOUD | CLEAR, CLEAR))
    out = tmp_path / "out.tif"
    predict(folder, out, model=tiny_model(), bands=OLI, mask=["cloud"])
    numbers = band_numbers(LEVEL_2)[4]
    valid = ~cloudy & (band_numbers(LEVEL_2)[2:5] != 0).all(axis=0)
    reflectance = np.clip(numbers * 2.75e-05 - 0.2, 0, 1)
    labels = np.minimum(reflectance * 3, 2).astype(np.uint8) + 1
    assert np.array_equal(read_map(out), finer(np.where(valid, labels, 255)))


def test_folder_tar_and_item_give_one_map(tmp_path, tiny_model):
    folder = write_product(tmp_path / "p", qa_pixel=np.full((HEIGHT, WIDTH), CLEAR))
    maps = []
    for path in (folder, write_tar(folder), write_item(folder)):
        out = tmp_path / f"{len(maps)}.tif"
        predict(path, out, model=tiny_model(), bands=OLI)
        maps.append(out.read_bytes())
    assert len(set(maps)) == 1


def test_an_area_of_interest_changes_nothing_inside_it(tmp_path, tiny_model):
    values = np.random.default_rng(3).random((3, 70, 90), np.float32)
    write_raster(tmp_path / "scene.tif", values, names=NAMES)
    model = tiny_model(reach=5, halo=8, exact_halo=8, window_size=32)
    left, top = TRANSFORM @ (21, 30)
    right, bottom = TRANSFORM @ (43, 41)
    arguments = {"model": model, "scale": 1.0, "window_size": 32}
    whole = predict(tmp_path / "scene.tif", tmp_path / "whole.tif", **arguments)
    part = predict(
        tmp_path / "scene.tif",
        tmp_path / "part.tif",
        aoi=f"{left},{bottom},{right},{top}",
        aoi_extent="scene",
        **arguments,
    )
    inside = np.zeros((70, 90), bool)
    inside[30:41, 21:43] = True
    expected = np.where(finer(inside), read_map(tmp_path / "whole.tif"), 255)
    assert np.array_equal(read_map(tmp_path / "part.tif"), expected)
    assert part.windows < whole.windows
    assert part.windows + part.skipped == whole.windows


def test_only_the_ground_around_the_area_is_read(tmp_path, tiny_model, monkeypatch):
    values = np.random.default_rng(0).random((3, 300, 400), np.float32)
    write_raster(tmp_path / "scene.tif", values, names=NAMES)
    read = []
    scene_read = Scene.read
    monkeypatch.setattr(
        Scene, "read", lambda self, window: read.append(window) or scene_read(self, window)
    )
    left, top = TRANSFORM @ (210, 120)
    right, bottom = TRANSFORM @ (220, 130)
    predict(
        tmp_path / "scene.tif",
        tmp_path / "out.tif",
        model=tiny_model(window_size=64),
        scale=1.0,
        aoi=f"{left},{bottom},{right},{top}",
    )
    assert sum(window.height * window.width for window in read) < 300 * 400 / 4


def test_a_file_of_the_product_is_no_output(tmp_path, tiny_model):
    folder = write_product(tmp_path / "p")
    band = folder / f"{LEVEL_2}_SR_B4.TIF"
    with pytest.raises(OutputError, match="is read to make it"):
        predict(folder, band, model=tiny_model(), bands=OLI, overwrite=True)
    assert read_map(band).any()


def test_a_mask_of_a_plain_file_is_refused(tmp_path, tiny_model):
    write_raster(tmp_path / "scene.tif", np.ones((3, 9, 9), np.float32), names=NAMES)
    with pytest.raises(SceneError, match="`mask` cloud needs a product"):
        predict(tmp_path / "scene.tif", tmp_path / "o.tif", model=tiny_model(), mask=["cloud"])
