"""Plain GeoTIFFs of every kind, compared with what rasterio reads."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from geosrseg.core.normalize import Normalization, normalize_bands
from geosrseg.core.tiling.windows import Window
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.raster.conftest import BANDS, NORTH_UP, UTM
from tests.shared_data import shared
from tests.tiny_models import make_spec

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")
GRIDS = {
    "north up": (UTM, NORTH_UP),
    "south up": (UTM, Affine(30, 0, 800_000, 0, 30, 850_000)),
    "rotated": (UTM, NORTH_UP @ Affine.rotation(33)),
    "geographic": (CRS.from_epsg(4326), Affine(0.00027, 0, 35.7, 0, -0.00027, 7.6)),
    "not square": (UTM, Affine(30, 0, 800_000, 0, -15, 850_000)),
}
SHAPE = (61, 83)
PART = Window(5, 40, 50, 43)


@pytest.fixture
def numbers():
    """(3, 61, 83) integers that every dtype holds, a few of them 7."""
    return np.random.default_rng(4).integers(1, 99, (3, *SHAPE))


def assert_read_as_rasterio_reads(path, **options):
    """The same numbers, and valid where all of rasterio's masks are set and all is finite."""
    with open_scene(path, model_bands=BANDS, scale=0.01, **options) as scene:
        found, valid = scene.read(PART)
        grid = scene.grid
    part = rasterio.windows.Window(PART.col_off, PART.row_off, PART.width, PART.height)
    with unreferenced_allowed(), rasterio.open(path) as dataset:
        indexes = [1, 2, 3]
        expected = dataset.read(indexes, window=part)
        masks = dataset.read_masks(indexes, window=part)
        assert (grid.crs, grid.transform) == (dataset.crs, dataset.transform)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f")
    assert np.array_equal(valid, ((masks != 0) & np.isfinite(expected)).all(axis=0))
    return valid


@pytest.mark.parametrize("dtype", DTYPES)
class TestDtypes:
    @pytest.mark.parametrize("grid", GRIDS)
    def test_on_every_grid(self, write_scene, numbers, dtype, grid):
        crs, transform = GRIDS[grid]
        path = write_scene(numbers.astype(dtype), crs=crs, transform=transform)
        assert assert_read_as_rasterio_reads(path).all()

    @pytest.mark.parametrize("layout", ["pixel", "band"])
    def test_nodata(self, write_scene, numbers, dtype, layout):
        path = write_scene(numbers.astype(dtype), nodata=7, interleave=layout, compress="lzw")
        assert not assert_read_as_rasterio_reads(path).all()

    def test_an_internal_mask(self, write_scene, numbers, dtype):
        mask = np.where(np.random.default_rng(5).random(SHAPE) < 0.3, 0, 255).astype(np.uint8)
        path = write_scene(numbers.astype(dtype), mask=mask)
        assert not assert_read_as_rasterio_reads(path).all()

    def test_alpha(self, write_scene, numbers, dtype):
        alpha = np.random.default_rng(6).choice([0, 255], SHAPE)
        bands = np.concatenate([numbers, alpha[None]]).astype(dtype)
        path = write_scene(bands, ALPHA="YES", photometric="RGB")
        with rasterio.open(path) as dataset:
            assert dataset.colorinterp[3] == ColorInterp.alpha
        with open_scene(path, model_bands=BANDS, scale=0.01) as scene:
            found, valid = scene.read(PART)
        assert np.array_equal(found, bands[:3, PART.rows, PART.cols])
        assert np.array_equal(valid, alpha[PART.rows, PART.cols] == 255)

    def test_scale_and_offset_of_the_file(self, write_scene, numbers, dtype):
        path = write_scene(numbers.astype(dtype), scales=0.005, offsets=0.1)
        keep = Normalization((0.0,) * 3, (1.0,) * 3, (0.0,) * 3)
        with open_scene(path, model_bands=BANDS) as scene:
            found, valid = scene.read(PART)
            inputs = normalize_bands(found, valid, radiometry=scene.radiometry, normalization=keep)
        expected = numbers[:, PART.rows, PART.cols] * 0.005 + 0.1
        assert np.allclose(inputs, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan(write_scene, numbers, dtype):
    values = numbers.astype(dtype)
    values[values == 7] = np.nan
    for nodata in (None, np.nan):
        assert not assert_read_as_rasterio_reads(write_scene(values, nodata=nodata)).all()


@pytest.mark.parametrize("endianness", ["LITTLE", "BIG"])
@pytest.mark.parametrize("tiff", ["YES", "NO"])
def test_big_tiff_and_byte_order(write_scene, numbers, tiff, endianness):
    path = write_scene(numbers.astype(np.uint16), BIGTIFF=tiff, ENDIANNESS=endianness)
    assert assert_read_as_rasterio_reads(path).all()


REAL = {
    "rasterio_RGBbyte/RGB.byte.tif": "1,2,3",
    "stars_L7_olinda/L7_ETMs.tif": "3,2,4",
    "opengeos_peru_4326/1985.tif": "3,2,1",
    "luna_L5_float/lsat.tif": "2,3,4",
}


@pytest.mark.parametrize("name", REAL)
def test_real_scenes(name):
    path = shared("scenes") / name
    with open_scene(path, model_bands=BANDS, bands=REAL[name], scale=0.004) as scene:
        window = Window(0, 0, scene.grid.height, scene.grid.width)
        found, valid = scene.read(window)
        grid = scene.grid
    indexes = [int(number) for number in REAL[name].split(",")]
    with rasterio.open(path) as dataset:
        expected = dataset.read(indexes)
        masks = dataset.read_masks(indexes) != 0
        assert (grid.crs, grid.transform) == (dataset.crs, dataset.transform)
    assert np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f")
    assert np.array_equal(valid, (masks & np.isfinite(expected)).all(axis=0))
    assert valid.mean() > 0.5


BANDS_6 = ("blue", "green", "red", "nir", "swir1", "swir2")
SPEC_6 = replace(make_spec(bands=6), bands=BANDS_6)


class TestUndeclaredFill:
    """Values that mark missing pixels without a tag, wherever they are in the scene."""

    def read_all(self, path, side, **options):
        with open_scene(path, model_bands=BANDS_6, spec=SPEC_6, **options) as scene:
            return scene.read(Window(0, 0, side, side))[1], scene.warnings

    def reflectance(self, side):
        return np.random.default_rng(6).uniform(0.02, 0.5, (6, side, side))

    @pytest.mark.parametrize(
        ("dtype", "fill", "scale", "offset"),
        [
            ("float32", 0, 1, 0), ("uint16", 0, 2.75e-5, -0.2), ("uint16", 0, 1e-4, -0.1),
            ("int16", -9999, 1e-4, 0),
        ],
    )  # fmt: skip
    def test_holes_that_the_sample_misses(self, write_scene, dtype, fill, scale, offset):
        stored = (self.reflectance(640) - offset) / scale
        numbers = stored.astype(dtype)
        numbers[:, 40:80, 40:80] = fill  # between the windows of the sample
        numbers[1, 90, 90] = 0 if dtype == "float32" else numbers[1, 90, 90]
        tags = {} if dtype == "float32" else {"scales": scale, "offsets": offset}
        path = write_scene(numbers, bands=BANDS_6, **tags)
        valid, _ = self.read_all(path, 640)
        assert not valid[40:80, 40:80].any()
        assert valid.sum() == 640**2 - 40**2

    def test_water_is_0_in_some_bands_only(self, write_scene):
        numbers = self.reflectance(64).astype(np.float32)
        numbers[4:, 32:] = 0
        numbers[:, :20, :20] = 0
        valid, _ = self.read_all(write_scene(numbers, bands=BANDS_6), 64)
        assert valid.sum() == 64**2 - 20**2

    def test_a_declared_value_is_the_only_one(self, write_scene):
        numbers = self.reflectance(64).astype(np.float32)
        numbers[:, 5, 5], numbers[:, 6, 6] = 0, -1
        valid, _ = self.read_all(write_scene(numbers, bands=BANDS_6, nodata=-1), 64)
        assert (valid[5, 5], valid[6, 6], valid.sum()) == (True, False, 64**2 - 1)

    def test_a_scene_with_data_between_the_windows_of_the_sample(self, write_scene):
        numbers = np.zeros((6, 640, 640), np.float32)
        numbers[:, 40:80, 40:80] = self.reflectance(40)
        valid, warnings = self.read_all(write_scene(numbers, bands=BANDS_6), 640)
        assert valid.sum() == 40**2
        assert any("nearly all of its pixels are 0" in text for text in warnings)

    def test_overviews_that_mix_the_users_nodata_with_ground(self, write_scene):
        numbers = (self.reflectance(640) * 1e4).astype(np.int16)
        holes = np.arange(640) % 40 < 12
        numbers[:, holes[:, None] & holes] = -9999
        path = write_scene(numbers, bands=BANDS_6, tiled=True)
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews([2, 4], rasterio.enums.Resampling.average)
        valid, _ = self.read_all(path, 640, nodata=-9999)
        assert valid.sum() == 640**2 - holes.sum() ** 2


class TestEarthEngine:
    """Earth Engine exports: names from its catalogue, reflectance 0 to 1, masked pixels."""

    @pytest.mark.parametrize("fill", [np.nan, 0.0, -np.inf])
    @pytest.mark.parametrize(
        ("names", "sensor"),
        [
            (("SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "SR_B7", "QA_PIXEL"), "OLI"),
            (("SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B7"), "TM or ETM+"),
        ],
    )
    def test_masked_pixels_and_bands_are_found(self, tmp_path, fill, names, sensor):
        values = np.random.default_rng(6).uniform(0.02, 0.5, (len(names), 60, 70))
        values[:, :20, :30] = fill
        path = tmp_path / "export.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=len(names), height=60, width=70, dtype="float64",
            crs="EPSG:32630", transform=Affine(30, 0, 487_005, 0, -30, 5_929_995),
        ) as dataset:  # fmt: skip
            dataset.write(values)
            for index, name in enumerate(names, start=1):
                dataset.set_band_description(index, name)
        with open_scene(path, model_bands=BANDS_6, spec=SPEC_6) as scene:
            found, valid = scene.read(Window(0, 0, 60, 70))
        assert np.array_equal(found[:, valid], values[:6, valid])
        assert not valid[:20, :30].any()
        assert valid.sum() == 60 * 70 - 20 * 30
        assert scene.radiometry.scale == (1.0,) * 6
        assert f"numbering of {sensor}" in scene.warnings[0]
