"""Tests of every layer of a map."""

import numpy as np
import pytest
import rasterio

from geosrseg.errors import SceneError
from geosrseg.mapping.predict import predict
from geosrseg.raster.scene import open_scene
from tests.mapping.test_predict import NAMES, write_scene

BUILT_IN = ("classes", "confidence", "probabilities", "fractions")


@pytest.fixture
def layers(tmp_path, tiny_model):
    values = np.random.default_rng(2).random((3, 40, 50), np.float32)
    scene = write_scene(tmp_path / "scene.tif", values, names=NAMES)
    wanted = dict.fromkeys((*BUILT_IN[1:], "sr"), True)
    return predict(scene, tmp_path / "out.tif", model=tiny_model(), **wanted).layers


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_the_sr_image_of_64_bits_has_its_nodata_in_the_file(tmp_path, tiny_model, dtype):
    values = np.random.default_rng(2).integers(1000, 9000, (3, 40, 50)).astype(dtype)
    values[:, :10] = 0
    scene = write_scene(tmp_path / "scene.tif", values, names=NAMES, nodata=0)
    done = predict(scene, tmp_path / "out.tif", model=tiny_model(), scale=1e-4, sr=True)
    with rasterio.open(done.layers["sr"]) as file:
        valid = file.read_masks(1) != 0
        assert (file.read(1)[~valid] == file.nodata).all()
    assert not valid[:40].any()
    assert valid[40:].all()


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_layer_given_as_a_scene_is_refused_by_its_own_name(layers, name):
    refused = pytest.raises(SceneError, match=r"a map that geosrseg made of scene.tif, expected")
    with refused, open_scene(layers[name], model_bands=NAMES):
        pass


def test_the_sr_image_is_a_scene(layers):
    with open_scene(layers["sr"], model_bands=NAMES) as scene:
        assert scene.header.band_names == NAMES
