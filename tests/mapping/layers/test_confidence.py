"""Tests the confidence layer: percent in the first band, doubt by distance in the second."""

import json

import numpy as np
import pytest
import rasterio
import shapely

from geosrseg.errors import OutputError
from geosrseg.mapping.model import open_model
from geosrseg.mapping.predict import predict
from geosrseg.raster.maps.manifest import MANIFEST
from geosrseg.raster.maps.row_store import store_folder
from tests.mapping.test_predict import NAMES, TRANSFORM, write_scene

HALO, FACTOR = 6, 4


@pytest.fixture
def values():
    values = np.random.default_rng(2).random((3, 70, 90), np.float32)
    values[:, 30:33, 40:60] = np.nan
    values[:, 50, 12] = np.nan
    return values


@pytest.fixture
def scene(tmp_path, values):
    return write_scene(tmp_path / "scene.tif", values, names=NAMES)


@pytest.fixture
def model(tiny_model):
    return tiny_model(reach=3, halo=HALO, exact_halo=8)


def doubt_of(values):
    """Compute the doubt in percent from its definition."""
    unknown = np.pad(np.isnan(values).any(axis=0), HALO, constant_values=True)
    shape = values.shape[1:]
    found = np.zeros(shape, int)
    for reach in range(HALO, 0, -1):  # the nearest counts
        size = 2 * reach + 1
        seen = np.lib.stride_tricks.sliding_window_view(unknown, (size, size)).any(axis=(2, 3))
        margin = HALO - reach
        near = seen[margin : margin + shape[0], margin : margin + shape[1]]
        found[near] = np.ceil(100 * (HALO + 1 - reach) / HALO)
    found[np.isnan(values).any(axis=0)] = 255
    return found.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)


def read(path):
    with rasterio.open(path) as file:
        return file.read()


def test_its_bands_have_names_units_and_a_ramp(tmp_path, scene, model):
    done = predict(scene, tmp_path / "out.tif", model=model, confidence=True)
    path = done.layers["confidence"]
    assert path == tmp_path / "out.confidence.tif"
    with rasterio.open(path) as file:
        assert (file.descriptions, file.units) == (("confidence", "doubt"), ("percent",) * 2)
        assert (file.dtypes, file.nodatavals) == (("uint8",) * 2, (255, 255))
        percent, tags = file.read(), file.tags()
    assert "0 more than 6 pixels away" in tags["GEOSRSEG_DOUBT"]
    labels = read(done.output)[0]
    assert ((percent == 255) == (labels == 255)).all()
    assert percent[percent != 255].max() == 100
    assert 'band="1"' in path.with_suffix(".qml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "windows",
    [{}, {"window_size": 32}, {"window_size": 40, "seams": "exact"}, {"window_size": 64}],
)
def test_doubt_is_the_scene_s_and_not_the_windows(tmp_path, scene, values, model, windows):
    done = predict(scene, tmp_path / "out.tif", model=model, confidence=True, **windows)
    _, doubt = read(done.layers["confidence"])
    np.testing.assert_array_equal(doubt, doubt_of(values))


@pytest.mark.parametrize("extent", ["crop", "scene"])
def test_the_ground_around_an_area_is_known(tmp_path, scene, values, model, extent):
    area = shapely.box(*TRANSFORM @ (20, 45), *TRANSFORM @ (42, 20))
    options = {"aoi": area, "aoi_extent": extent, "confidence": True, "window_size": 32}
    done = predict(scene, tmp_path / "out.tif", model=model, **options)
    _, doubt = read(done.layers["confidence"])
    part = (slice(20 * FACTOR, 45 * FACTOR), slice(20 * FACTOR, 42 * FACTOR))
    inside = doubt if extent == "crop" else doubt[part]
    np.testing.assert_array_equal(inside, doubt_of(values)[part])
    assert (inside[0] == 0).all()


def test_a_model_that_looks_at_single_pixels_has_no_doubt(tmp_path, scene, tiny_model):
    done = predict(scene, tmp_path / "out.tif", model=tiny_model(), confidence=True)
    _, doubt = read(done.layers["confidence"])
    assert (doubt[doubt != 255] == 0).all()


def test_in_memory_it_has_both_bands(values, model):
    with open_model(model, device="cpu") as opened:
        found = opened.map_array(values, crs="EPSG:32636", transform=TRANSFORM, scale=1)
        np.testing.assert_array_equal(found.doubt, doubt_of(values))
        assert found.confidence.max() == 255
        assert opened.map_array(values, confidence=False, scale=1).doubt is None


def test_a_run_that_an_older_version_was_stopped_in_is_refused(tmp_path, scene, model):
    def stop(progress):
        if progress.windows_done == 25:
            raise KeyboardInterrupt

    out, options = tmp_path / "out.tif", {"confidence": True, "window_size": 24, "overlap": 12}
    with pytest.raises(KeyboardInterrupt):
        predict(scene, out, model=model, on_progress=stop, **options)
    manifest = store_folder(out) / MANIFEST
    said = json.loads(manifest.read_text())
    del said["form of rows"]  # as it was when confidence had one band
    manifest.write_text(json.dumps(said))
    with pytest.raises(
        OutputError, match=r"another version of geosrseg.*start again with `overwrite=True`"
    ):
        predict(scene, out, model=model, **options)
    assert manifest.is_file()
    done = predict(scene, out, model=model, overwrite=True, **options)
    assert done.resumed == 0
