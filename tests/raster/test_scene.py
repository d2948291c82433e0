import pickle
import threading

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.control import GroundControlPoint

from geosrseg.core.normalize import Radiometry
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.gdal import unreferenced_allowed
from geosrseg.raster.storage.location import Location
from tests.raster.conftest import BANDS, NORTH_UP, UTM


def read_all(path, **options):
    with open_scene(path, model_bands=BANDS, **options) as scene:
        return scene.read(Window(0, 0, scene.grid.height, scene.grid.width))


def test_a_scene_says_what_it_is(write_scene, reflectance):
    path = write_scene(reflectance)
    with open_scene(path, model_bands=("nir", "green")) as scene:
        assert scene.location == Location(str(path))
        assert scene.band_names == ("nir", "green")
        assert scene.radiometry == Radiometry.uniform(2)
        assert scene.warnings == ()
        assert (scene.grid.crs, scene.grid.transform) == (UTM, NORTH_UP)
        assert (scene.grid.height, scene.grid.width) == reflectance.shape[1:]
        numbers, valid = scene.read(Window(0, 0, 37, 53))
    assert np.array_equal(numbers, reflectance[[2, 0]])
    assert valid.all()


@settings(max_examples=30)
@given(st.data())
def test_windows_are_what_rasterio_reads(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "windows.tif"
    if not path.exists():
        numbers = np.random.default_rng(0).integers(0, 9000, (3, 61, 83)).astype(np.int16)
        numbers[:, :, 40:50] = -9999
        numbers[1, 20:30] = -9999
        with rasterio.open(
            path, "w", driver="GTiff", count=3, height=61, width=83, dtype="int16",
            nodata=-9999, crs=UTM, transform=NORTH_UP, tiled=True, blockxsize=16, blockysize=32,
        ) as dataset:  # fmt: skip
            dataset.write(numbers)
    row, col = data.draw(st.integers(0, 60)), data.draw(st.integers(0, 82))
    window = Window(
        row, col, data.draw(st.integers(1, 61 - row)), data.draw(st.integers(1, 83 - col))
    )

    with open_scene(path, model_bands=BANDS, scale=1e-4) as scene:
        numbers, valid = scene.read(window)
    with rasterio.open(path) as dataset:
        part = rasterio.windows.Window(col, row, window.width, window.height)
        assert np.array_equal(numbers, dataset.read(window=part))
        assert np.array_equal(valid, (dataset.read_masks(window=part) != 0).all(axis=0))


def test_reading_beyond_the_scene_is_the_callers_mistake(write_scene, reflectance):
    with (
        open_scene(write_scene(reflectance), model_bands=BANDS) as scene,
        pytest.raises(ValueError, match="beyond the scene"),
    ):
        scene.read(Window(0, 0, 38, 53))


class TestValid:
    def test_nodata_in_any_band(self, write_scene):
        numbers = np.full((3, 4, 5), 1000, np.int16)
        numbers[1, 2, 3] = numbers[0, 0] = -9999
        _, valid = read_all(write_scene(numbers, nodata=-9999))
        assert np.array_equal(valid, (numbers != -9999).all(axis=0))

    def test_nan_and_infinity(self, write_scene, reflectance):
        reflectance[0, 1, 2], reflectance[2, 3, 4] = np.nan, -np.inf
        _, valid = read_all(write_scene(reflectance))
        assert np.array_equal(valid, np.isfinite(reflectance).all(axis=0))
        assert (~valid).sum() == 2

    @pytest.mark.parametrize("nodata", [np.nan, np.inf, -np.inf])
    def test_nodata_that_is_no_number(self, write_scene, reflectance, nodata):
        reflectance[0, 1, 2] = nodata
        _, valid = read_all(write_scene(reflectance, nodata=nodata))
        assert (~valid).sum() == 1

    def test_floating_point_nodata_that_text_does_not_hold(self, write_scene, reflectance):
        reflectance[0, 1, 2] = np.float32(-3.4028235e38)
        _, valid = read_all(write_scene(reflectance, nodata=-3.40282e38))
        assert (~valid).sum() == 1

    def test_a_mask_and_nodata_together(self, write_scene):
        numbers = np.full((3, 4, 5), 1000, np.int16)
        numbers[1, 2, 3] = -9999
        mask = np.full((4, 5), 255, np.uint8)
        mask[0] = 0
        _, valid = read_all(write_scene(numbers, mask=mask, nodata=-9999))
        assert np.array_equal(valid, (mask != 0) & (numbers != -9999).all(axis=0))

    @pytest.mark.parametrize("nodata", [None, 0])
    def test_alpha_is_no_data_band(self, write_scene, nodata):
        numbers = np.full((4, 4, 5), 100, np.uint8)
        numbers[0, 3, 3] = 0
        numbers[3, 1] = 0
        path = write_scene(numbers, bands=None, alpha=4, nodata=nodata)
        found, valid = read_all(path, scale=0.01)
        expected = numbers[3] != 0
        expected[3, 3] = nodata is None
        assert found.shape == (3, 4, 5)
        assert np.array_equal(valid, expected)

    def test_a_band_that_gdal_takes_for_alpha_is_data_where_the_model_wants_it(self, write_scene):
        numbers = np.full((4, 4, 5), 100, np.uint8)
        numbers[3, 1] = 0
        path = write_scene(numbers, bands=("blue", *BANDS), photometric="RGB", alpha=4)
        found, valid = read_all(path, scale=0.01)
        assert np.array_equal(found, numbers[1:])
        assert valid.all()

    def test_decimated_reads_leave_nodata_out_of_the_average(self, write_scene):
        numbers = np.full((3, 40, 60), 1000, np.int16)
        numbers[:, :, :15] = -9999
        with open_scene(write_scene(numbers, nodata=-9999), model_bands=BANDS) as scene:
            small, valid = scene.read_decimated(4, 6)
        assert valid.tolist() == [[False] + [True] * 5] * 4
        assert (small[:, valid] == 1000).all()

    @pytest.mark.parametrize("dtype", ["int16", "float32"])
    def test_the_users_nodata_is_left_out_as_the_declared_one_is(self, write_scene, dtype):
        numbers = np.random.default_rng(1).integers(300, 4000, (3, 40, 60)).astype(dtype)
        numbers[:, :, :17] = numbers[0, 9, 30:] = -9999
        found = []
        for stated, options in (({"nodata": -9999}, {}), ({}, {"nodata": -9999})):
            path = write_scene(numbers, scales=1e-4, **stated)
            with open_scene(path, model_bands=BANDS, **options) as scene:
                found.append(scene.read_decimated(10, 15))
        (expected, valid), (small, same) = found
        assert np.array_equal(valid, same)
        assert np.abs(small[:, valid] - expected[:, valid]).max() <= 1


class TestGeoreference:
    @pytest.mark.parametrize(
        "transform",
        [
            NORTH_UP,
            Affine(30, 0, 800_000, 0, 30, 850_000),
            NORTH_UP @ Affine.rotation(20),
            Affine(30, 0, 0, 0, -30, 0),
        ],
    )
    def test_any_transform_is_kept(self, write_scene, reflectance, transform):
        with open_scene(write_scene(reflectance, transform=transform), model_bands=BANDS) as scene:
            assert scene.grid.transform.almost_equals(transform)
            assert scene.warnings == ()

    @pytest.mark.parametrize(
        ("georeference", "warning"),
        [
            ({"crs": None}, "no CRS"),
            ({"crs": None, "transform": Affine.identity()}, "no georeference"),
            ({"transform": Affine.identity()}, "no georeference"),
        ],
    )
    def test_what_is_missing_is_said(self, write_scene, reflectance, georeference, warning):
        path = write_scene(reflectance, **georeference)
        with open_scene(path, model_bands=BANDS) as scene:
            assert scene.grid.crs == georeference.get("crs", UTM)
            assert scene.grid.transform == georeference.get("transform", NORTH_UP)
            assert [warning in text for text in scene.warnings] == [True]

    def test_control_points_are_not_used_and_said(self, write_scene, reflectance):
        path = write_scene(reflectance, crs=None, transform=Affine.identity())
        with unreferenced_allowed(), rasterio.open(path, "r+") as dataset:
            points = [GroundControlPoint(r, c, 30 * c, 30 * r) for r, c in ((0, 0), (0, 9), (9, 0))]
            dataset.gcps = points, UTM
        with open_scene(path, model_bands=BANDS) as scene:
            assert scene.grid.transform == Affine.identity()
            assert scene.grid.crs is None
            assert "control points" in scene.warnings[0]


class TestRadiometry:
    def test_the_file_says(self, write_scene, reflectance):
        path = write_scene((reflectance * 40_000).astype(np.uint16), scales=2.75e-5, offsets=-0.2)
        with open_scene(path, model_bands=BANDS) as scene:
            assert scene.radiometry == Radiometry.uniform(3, scale=2.75e-5, offset=-0.2)
            assert scene.warnings == ()

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"scale": 0.5, "offset": 0.1}, (0.5, 0.1)),
            ({"scale": 0.5}, (0.5, 0)),
            ({"offset": 0.1}, (1, 0.1)),
        ],
    )
    def test_the_user_knows_better(self, write_scene, reflectance, options, expected):
        path = write_scene(reflectance, scales=2.75e-5, offsets=-0.2)
        with open_scene(path, model_bands=BANDS, **options) as scene:
            scale, offset = expected
            assert scene.radiometry == Radiometry.uniform(3, scale=scale, offset=offset)

    @pytest.mark.parametrize("options", [{"scale": 0}, {"scale": np.inf}, {"offset": np.nan}])
    def test_useless_numbers_are_refused(self, write_scene, reflectance, options):
        with pytest.raises(SceneError, match=r"`scale`|`offset` nan: expected a number"):
            read_all(write_scene(reflectance), **options)

    def test_guesses_are_said(self, write_scene, reflectance):
        path = write_scene((reflectance * 1e4).astype(np.int16), bands=None)
        with open_scene(path, model_bands=BANDS) as scene:
            assert scene.radiometry == Radiometry.uniform(3, scale=1e-4)
            order, guess = scene.warnings
        assert "in order for green, red, nir" in order
        assert "reflectance times 10000" in guess

    def test_a_small_valid_part_is_found(self, write_scene):
        numbers = np.full((3, 900, 900), -9999, np.int16)
        numbers[:, 70:75, 70:75] = 1500
        with open_scene(write_scene(numbers, nodata=-9999), model_bands=BANDS) as scene:
            assert scene.radiometry == Radiometry.uniform(3, scale=1e-4)


class TestHandles:
    def test_every_thread_opens_its_own(self, write_scene, reflectance):
        found = {}
        with open_scene(write_scene(reflectance), model_bands=BANDS) as scene:

            def read(key):
                with scene.reopen() as own:
                    found[key] = own.read(Window(3, 4, 5, 6))[0]

            threads = [threading.Thread(target=read, args=(key,)) for key in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(found) == 8
        assert all(np.array_equal(n, reflectance[:, 3:8, 4:10]) for n in found.values())

    def test_a_header_travels_between_processes(self, write_scene, reflectance):
        with open_scene(write_scene(reflectance), model_bands=BANDS) as scene:
            assert pickle.loads(pickle.dumps(scene.header)) == scene.header


class TestRefused:
    """One line that names the file and what to do."""

    def refused(self, path, **options) -> str:
        with pytest.raises(SceneError) as caught:
            read_all(path, **options)
        message = str(caught.value)
        assert message.startswith(str(path))
        assert "\n" not in message
        return message

    def test_missing(self, tmp_path):
        assert "no such file" in self.refused(tmp_path / "none.tif")

    def test_folder(self, tmp_path):
        assert "folder" in self.refused(tmp_path)

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "is empty"),
            (b"no image", "cannot be opened as a GeoTIFF"),
            (b"II*\0" + bytes(40), "cannot be opened as a GeoTIFF"),
            (b"\x89PNG\r\n\n", "is a picture (PNG)"),
        ],
    )
    def test_no_tiff(self, tmp_path, content, why):
        path = tmp_path / "text.tif"
        path.write_bytes(content)
        assert why in self.refused(path)

    def test_a_vrt_called_tif_reads_no_other_file(self, write_scene, reflectance, tmp_path):
        source = write_scene(reflectance)
        text = (
            '<VRTDataset rasterXSize="53" rasterYSize="37"><VRTRasterBand dataType="Float32" '
            f'band="1"><SimpleSource><SourceFilename>{source}</SourceFilename></SimpleSource>'
            "</VRTRasterBand></VRTDataset>"
        )
        path = tmp_path / "vrt.tif"
        path.write_text(text)
        assert "is a VRT, which names other files" in self.refused(path)
        assert "no such file" in self.refused(text)

    @pytest.mark.parametrize("prefix", ["GTIFF_DIR:1:", "/vsizip/", "zip://", "file://host"])
    def test_gdals_other_ways_to_name_a_file(self, write_scene, reflectance, prefix):
        path = write_scene(reflectance)
        with pytest.raises(SceneError, match=r"no such file|are not accepted|is not read"):
            read_all(f"{prefix}{path}")

    def test_complex_numbers(self, write_scene, reflectance):
        assert "complex64" in self.refused(write_scene(reflectance.astype(np.complex64)))

    def test_too_many_pixels(self, write_scene, reflectance):
        message = self.refused(write_scene(reflectance), max_pixels=1960)
        assert "53 x 37" in message

    def test_a_header_that_declares_too_much(self, tmp_path):
        path = tmp_path / "huge.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=3, height=200_000, width=200_000, dtype="uint8",
            crs=UTM, transform=NORTH_UP, tiled=True, sparse_ok=True, blockxsize=4096,
            blockysize=4096,
        ):  # fmt: skip
            pass
        assert "200000 x 200000" in self.refused(path)

    def test_a_block_that_does_not_fit_into_memory(self, write_scene, reflectance, monkeypatch):
        monkeypatch.setattr("geosrseg.raster.files.blocks.MAX_BLOCK_BYTES", 64 * 64 * 4)
        tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64}
        path = write_scene(reflectance, interleave="band", **tiles)
        assert read_all(path)[1].all()
        path = write_scene(reflectance, interleave="pixel", **tiles)
        assert "TILED=YES" in self.refused(path)

    def test_wrong_band_count(self, write_scene, reflectance):
        message = self.refused(write_scene(reflectance[:2], bands=None))
        assert "2 bands" in message
        assert "`bands`" in message

    @pytest.mark.parametrize("compress", ["none", "deflate"])
    def test_truncated(self, write_scene, reflectance, compress):
        numbers = np.tile(reflectance, (1, 20, 20))
        path = write_scene(numbers, compress=compress, interleave="pixel")
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        assert "get it again" in self.refused(path)

    def test_a_damaged_block_is_named(self, write_scene, reflectance):
        numbers = np.tile(reflectance, (1, 20, 20))
        path = write_scene(numbers, compress="deflate", tiled=True, blockxsize=64, blockysize=64)
        content = bytearray(path.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 200_000] = b"\xff" * 200_000
        path.write_bytes(content)
        message = self.refused(path, scale=1)
        assert "cannot be read, block 5,16 (rows 320 to 383, columns 1024 to 1059)" in message
        assert "leave such blocks out with `skip_bad_blocks=True`" in message
