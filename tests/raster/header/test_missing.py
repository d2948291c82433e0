import numpy as np
import pytest
import rasterio

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.header.missing import with_nodata_if
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import NORTH_UP, UTM
from tests.tiny_models import make_spec

BANDS = ("green", "red", "nir")
GAP, EMPTY = 40, 60
"""Red is missing from column GAP on, all bands from column EMPTY on."""


@pytest.fixture
def gappy(tmp_path):
    """Write three bands and return the path."""

    def write(dtype="int16", nodata=-9999):
        numbers = np.random.default_rng(0).integers(100, 4000, (3, 64, 64)).astype(dtype)
        numbers[1, :, GAP:] = numbers[:, :, EMPTY:] = nodata
        path = tmp_path / f"{dtype}.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=3, height=64, width=64, dtype=dtype,
            nodata=nodata, crs=UTM, transform=NORTH_UP,
        ) as dataset:  # fmt: skip
            dataset.write(numbers)
            dataset.descriptions = BANDS
        return path, numbers

    return write


def read_all(path, **options):
    with open_scene(path, model_bands=BANDS, scale=1e-4, **options) as scene:
        return scene.read(Window(0, 0, 64, 64))


@pytest.mark.parametrize(("nodata_if", "columns"), [("any", GAP), ("all", EMPTY), ("never", 64)])
def test_what_makes_a_pixel_nodata(gappy, nodata_if, columns):
    path, numbers = gappy()
    found, valid = read_all(path, nodata_if=nodata_if)
    assert valid[:, :columns].all()
    assert not valid[:, columns:].any()
    assert np.array_equal(found[0, :, :EMPTY], numbers[0, :, :EMPTY])
    assert np.array_equal(found[:, :, :GAP], numbers[:, :, :GAP])


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_what_is_missing_becomes_the_fill_of_the_model(gappy, dtype):
    path, _ = gappy(dtype)
    spec = make_spec()
    normal = spec.normalization
    with open_scene(path, model_bands=BANDS, scale=1e-4) as scene:
        header = with_nodata_if(scene.header, "all", spec)
    (file,) = header.files
    with rasterio.open(path) as dataset:
        found, _ = file.selection.read(dataset)
    reflectance = found[1, :, GAP:EMPTY] * 1e-4
    inputs = (reflectance - normal.low[1]) / (normal.high[1] - normal.low[1])
    # A whole digital number is within half of one of it.
    assert inputs == pytest.approx(normal.fill[1], abs=0.51e-4 / (normal.high[1] - normal.low[1]))


def test_an_unknown_choice_is_refused(gappy):
    with pytest.raises(SceneError, match="`nodata_if`"):
        read_all(gappy()[0], nodata_if="some")


@pytest.mark.parametrize(("gap", "warned"), [(20, True), (40, False)])
def test_a_band_that_loses_most_of_a_scene_is_named(tmp_path, gap, warned):
    numbers = np.random.default_rng(0).integers(100, 9000, (3, 64, 64)).astype(np.int16)
    numbers[1, :, gap:] = -9999
    path = tmp_path / "scene.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=3, height=64, width=64, dtype="int16", nodata=-9999,
        crs=UTM, transform=NORTH_UP,
    ) as dataset:  # fmt: skip
        dataset.write(numbers)
    spec = make_spec()
    with open_scene(path, model_bands=spec.bands, spec=spec, scale=1e-4) as scene:
        found = [text for text in scene.warnings if "other bands have data" in text]
    assert (
        found
        == [
            f"{spec.bands[1]} is nodata in 69% of the scene where other bands have data: that "
            "part is nodata in the map, unless `nodata_if` is all"
        ]
        * warned
    )
    with open_scene(path, model_bands=spec.bands, spec=spec, scale=1e-4, nodata_if="all") as scene:
        assert not any("other bands have data" in text for text in scene.warnings)
