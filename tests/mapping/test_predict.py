"""Tests whole maps that are known exactly: the tiny model divides a band into equal steps."""

import json
import os
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rio_cogeo import cog_validate

from geosrseg.errors import (
    DeviceError,
    DeviceMemoryError,
    GeosrsegError,
    ModelError,
    OutputError,
    SceneError,
    SceneWarning,
)
from geosrseg.mapping.predict import predict
from geosrseg.mapping.prediction import Progress
from geosrseg.raster.maps.manifest import FORM, VERSION
from geosrseg.raster.maps.row_store import store_folder
from geosrseg.raster.maps.stopped_runs import find_stores
from geosrseg.raster.maps.style import style_paths
from geosrseg.raster.storage.gdal import unreferenced_allowed
from geosrseg.raster.storage.publication import publish
from geosrseg.runtime.devices.device import Limits
from geosrseg.runtime.devices.devices import find_device
from geosrseg.version import __version__

NAMES = ("band 1", "band 2", "band 3")
TRANSFORM = Affine(30, 0, 800_000, 0, -30, 850_000)


def write_scene(path, values, *, names=NAMES, crs="EPSG:32636", transform=TRANSFORM, **profile):
    count, height, width = values.shape
    with (
        unreferenced_allowed(),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            dtype=values.dtype.name,
            count=count,
            height=height,
            width=width,
            crs=crs,
            transform=transform,
            **profile,
        ) as file,
    ):
        file.write(values)
        file.descriptions = names
    return path


def read_map(path):
    with unreferenced_allowed(), rasterio.open(path) as file:
        return file.read(1)


def random_scene(height, width, seed=0):
    """Make reflectance in steps that rounding cannot move across a class limit."""
    steps = np.random.default_rng(seed).integers(0, 3, (3, height, width))
    return ((steps + 0.5) / 3).astype(np.float32)


def expected_map(values, factor=4):
    """Compute the tiny model's map: class ids 1, 2, 3 by thirds of the first band."""
    labels = np.minimum(values[0] * 3, 2).astype(np.uint8) + 1
    return labels.repeat(factor, 0).repeat(factor, 1)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    window=st.sampled_from([32, 40, 64, 512]),
    overlap=st.sampled_from([0, 3, 10, 24]),
)
def test_any_scene_in_any_windows_gives_the_same_map(
    tmp_path, tiny_model, height, width, window, overlap
):
    values = random_scene(height, width)
    scene = write_scene(tmp_path / "scene.tif", values)
    out = tmp_path / "out.tif"
    predict(scene, out, model=tiny_model(), window_size=window, overlap=overlap, overwrite=True)
    assert np.array_equal(read_map(out), expected_map(values))


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_any_factor_gives_its_own_grid_and_layers_on_it(tmp_path, tiny_model, factor):
    values = random_scene(37, 53)
    scene = write_scene(tmp_path / "scene.tif", values)
    model = tiny_model(upscale_factor=factor, multiple=16, window_size=32)
    predict(
        scene, tmp_path / "map.tif", model=model, window_size=32, overlap=5, sr=True, fractions=True
    )
    with rasterio.open(tmp_path / "map.tif") as file:
        assert file.transform.almost_equals(TRANSFORM @ Affine.scale(1 / factor))
    assert np.array_equal(read_map(tmp_path / "map.tif"), expected_map(values, factor))
    with rasterio.open(tmp_path / "map.sr.tif") as file:
        sr = file.read() * np.array(file.scales)[:, None, None]
    assert np.allclose(sr, values.repeat(factor, 1).repeat(factor, 2), atol=1e-3)
    with rasterio.open(tmp_path / "map.fractions.tif") as file:
        assert file.shape == (37, 53)
        shares = file.read() * np.array(file.scales)[:, None, None]
    assert np.array_equal(shares.argmax(0) + 1, expected_map(values, 1))


def test_exact_seams_are_those_of_one_window(tmp_path, tiny_model):
    """The model sees 5 pixels around each pixel: seams show without a halo, exact ones do not."""
    values = np.random.default_rng(0).random((3, 75, 101), np.float32)
    scene = write_scene(tmp_path / "scene.tif", values)
    model = tiny_model(reach=5, exact_halo=8, window_size=40)

    def labels(name, **options):
        predict(scene, tmp_path / name, model=model, **options)
        return read_map(tmp_path / name)

    whole = labels("whole.tif", window_size=512)
    assert np.array_equal(labels("exact.tif", seams="exact", window_size=40), whole)
    assert not np.array_equal(labels("cut.tif", overlap=0), whole)


def test_exact_seams_need_an_exact_halo(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(13, 17))
    model = tiny_model(exact_halo=None)
    with pytest.raises(GeosrsegError, match=r"whole window, .* use `seams=blend`"):
        predict(scene, tmp_path / "map.tif", model=model, seams="exact")
    predict(scene, tmp_path / "map.tif", model=model)


def test_the_map_lies_where_the_scene_lies(tmp_path, tiny_model):
    rotated = Affine.translation(5e5, 4e6) @ Affine.rotation(20) @ Affine.scale(30, -30)
    for number, transform in enumerate([TRANSFORM, rotated, Affine(30, 0, 0, 0, 30, 0)]):
        scene = write_scene(tmp_path / f"{number}.tif", random_scene(13, 17), transform=transform)
        out = tmp_path / f"{number}.out.tif"
        predict(scene, out, model=tiny_model())
        with rasterio.open(scene) as a, rasterio.open(out) as b:
            assert b.crs == a.crs
            assert b.transform.almost_equals(a.transform @ Affine.scale(1 / 4))
            assert np.allclose(b.bounds, a.bounds)


def test_nodata_in_gives_nodata_out_and_touches_nothing_else(tmp_path, tiny_model):
    values = (random_scene(50, 70) * 10_000).astype(np.int16)
    hole = np.zeros((50, 70), bool)
    hole[10:20, 30:45] = hole[49, :] = True
    values[:, hole] = -9999
    values[0, 0, 0] = -9999  # one band is enough
    hole[0, 0] = True
    scene = write_scene(tmp_path / "scene.tif", values, nodata=-9999)
    predict(scene, tmp_path / "out.tif", model=tiny_model(), scale=1e-4)
    expected = np.where(hole.repeat(4, 0).repeat(4, 1), 255, expected_map(values * 1e-4))
    assert np.array_equal(read_map(tmp_path / "out.tif"), expected)


def test_windows_without_a_valid_pixel_are_not_run(tmp_path, tiny_model):
    values = random_scene(64, 64)
    values[:, :, 32:] = np.nan
    scene = write_scene(tmp_path / "scene.tif", values)
    options = {"model": tiny_model(), "window_size": 32, "overlap": 0}
    done = predict(scene, tmp_path / "out.tif", **options)
    assert (done.windows, done.skipped) == (2, 2)
    assert done.network_seconds > 0
    labels = read_map(tmp_path / "out.tif")
    assert (labels[:, 128:] == 255).all()
    assert np.array_equal(labels[:, :128], expected_map(values[:, :, :32]))


def test_progress_counts_every_window_and_names_the_phases(tmp_path, tiny_model):
    seen: list[Progress] = []
    scene = write_scene(tmp_path / "scene.tif", random_scene(64, 96))
    predict(
        scene,
        tmp_path / "out.tif",
        model=tiny_model(),
        window_size=32,
        overlap=0,
        on_progress=seen.append,
    )
    network = [progress for progress in seen if progress.phase == "network"]
    assert [progress.windows_done for progress in network] == list(range(7))
    assert {progress.windows_total for progress in seen} == {6}
    # The map's file is written and read back; then come its styles and product files.
    phases = [phase for phase, _ in groupby(progress.phase for progress in seen)]
    assert phases == ["reading", "network", "writing", "checking", "writing"]
    assert seen[0].target_pixels * 6 == 64 * 96 * 16


def test_the_map_says_how_it_was_made(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(9, 9))
    predict(scene, tmp_path / "out.tif", model=tiny_model(), seams="exact")
    with rasterio.open(tmp_path / "out.tif") as file:
        tags = file.tags()
    assert tags["GEOSRSEG_MODEL"] == "tiny 1"
    assert len(tags["GEOSRSEG_MODEL_SHA256"]) == 64
    assert tags["GEOSRSEG_INPUT"] == "scene.tif"
    assert tags["GEOSRSEG_SEAMS"] == "exact"


def test_a_scene_without_crs_gives_a_map_without_crs_and_a_warning(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(9, 9), crs=None)
    with pytest.warns(UserWarning, match="CRS"):
        done = predict(scene, tmp_path / "out.tif", model=tiny_model())
    assert done.warnings
    with unreferenced_allowed(), rasterio.open(tmp_path / "out.tif") as file:
        assert file.crs is None


def test_a_quicklook_is_written_beside_the_map(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(20, 30))
    predict(scene, tmp_path / "out.tif", model=tiny_model(), quicklook=tmp_path / "look.png")
    with unreferenced_allowed(), rasterio.open(tmp_path / "look.png") as picture:
        assert picture.count == 3


class TestRefusals:
    """An error leaves no files behind."""

    @pytest.fixture
    def scene(self, tmp_path):
        return write_scene(tmp_path / "scene.tif", random_scene(40, 40))

    def refused(self, tmp_path, error, match, scene, **options):
        folder = tmp_path / "outputs"
        folder.mkdir(exist_ok=True)
        with pytest.raises(error, match=match):
            predict(scene, folder / "out.tif", **options)
        assert not list(folder.iterdir())

    def test_a_file_that_is_no_geotiff(self, tmp_path, tiny_model):
        text = tmp_path / "text.tif"
        text.write_text("not a TIFF")
        self.refused(tmp_path, SceneError, "text.tif", text, model=tiny_model())

    def test_a_truncated_scene(self, tmp_path, tiny_model):
        values = np.random.default_rng(0).random((3, 200, 200), np.float32)
        scene = write_scene(tmp_path / "cut.tif", values)
        os.truncate(scene, scene.stat().st_size // 2)
        self.refused(tmp_path, SceneError, "cut.tif", scene, model=tiny_model())

    def test_a_scene_with_other_bands(self, tmp_path, tiny_model):
        scene = write_scene(tmp_path / "two.tif", random_scene(9, 9)[:2], names=NAMES[:2])
        self.refused(tmp_path, SceneError, "`bands`", scene, model=tiny_model())

    def test_a_file_without_model_spec(self, tmp_path, scene):
        model = tmp_path / "other.onnx"
        model.write_bytes(b"\x08\x08")
        self.refused(tmp_path, ModelError, "other.onnx", scene, model=model)

    def test_a_device_that_is_not_there(self, tmp_path, scene, tiny_model):
        self.refused(tmp_path, DeviceError, "tpu", scene, model=tiny_model(), device="tpu")

    def test_windows_that_do_not_advance(self, tmp_path, scene, tiny_model):
        self.refused(
            tmp_path,
            GeosrsegError,
            "`window_size`",
            scene,
            model=tiny_model(),
            window_size=16,
            overlap=16,
        )

    def test_an_existing_map_stays_as_it_is(self, tmp_path, scene, tiny_model):
        out = tmp_path / "out.tif"
        predict(scene, out, model=tiny_model())
        before = out.read_bytes()
        with pytest.raises(OutputError, match="`overwrite=True`"):
            predict(scene, out, model=tiny_model())
        assert out.read_bytes() == before
        predict(scene, out, model=tiny_model(), overwrite=True)

    def test_a_map_over_its_own_scene(self, scene, tiny_model):
        before = scene.read_bytes()
        with pytest.raises(OutputError, match="is read to make it"):
            predict(scene, scene, model=tiny_model(), overwrite=True)
        assert scene.read_bytes() == before

    def test_a_file_over_the_area_of_interest(self, tmp_path, scene, tiny_model):
        area = tmp_path / "area.geojson"
        with rasterio.open(scene) as dataset:
            ground = dataset.bounds
        shape = shapely.box(*ground).__geo_interface__
        crs = {"type": "name", "properties": {"name": str(dataset.crs)}}
        area.write_text(json.dumps({**shape, "crs": crs}))
        before = area.read_bytes()
        with pytest.raises(OutputError, match=r"area\.geojson: is read to make it"):
            predict(
                scene, tmp_path / "out.tif", model=tiny_model(), aoi=area, vector=area,
                overwrite=True,
            )  # fmt: skip
        assert area.read_bytes() == before

    def test_a_quicklook_that_exists_before_any_work_is_done(self, tmp_path, scene, tiny_model):
        look = tmp_path / "look.png"
        look.write_text("keep me")
        self.refused(tmp_path, OutputError, "look.png", scene, model=tiny_model(), quicklook=look)
        assert look.read_text() == "keep me"

    def test_a_folder_that_is_not_there(self, tmp_path, scene, tiny_model):
        with pytest.raises(OutputError, match="no folder"):
            predict(scene, tmp_path / "none" / "out.tif", model=tiny_model())


class TestLayers:
    def test_the_sr_image_has_the_numbers_of_the_scene(self, tmp_path, tiny_model):
        values = np.random.default_rng(0).integers(1, 10_000, (3, 50, 70)).astype(np.int16)
        values[:, 5, 6] = -9999
        scene = write_scene(tmp_path / "scene.tif", values, nodata=-9999)
        model = tiny_model(window_size=32)
        done = predict(scene, tmp_path / "out.tif", model=model, scale=1e-4, sr=True)
        with rasterio.open(done.layers["sr"]) as file:
            found = file.read()
            assert file.dtypes == ("int16",) * 3
            assert file.descriptions == NAMES
            assert file.scales == pytest.approx((1e-4,) * 3)
            assert file.nodata == -32768
            assert np.allclose(file.bounds, rasterio.open(scene).bounds)
        expected = np.where(values == -9999, -32768, values)  # which the tiny model repeats
        np.testing.assert_allclose(found, expected.repeat(4, 1).repeat(4, 2), atol=1)

    def test_fractions_lie_on_the_scene_s_own_grid(self, tmp_path, tiny_model):
        values = random_scene(23, 41)
        values[:, 3, 4] = np.nan
        scene = write_scene(tmp_path / "scene.tif", values)
        done = predict(scene, tmp_path / "out.tif", model=tiny_model(), fractions=True)
        with rasterio.open(done.layers["fractions"]) as file, rasterio.open(scene) as source:
            found = file.read()
            assert (file.transform, file.shape) == (source.transform, source.shape)
            assert file.descriptions == ("class 1", "class 2", "class 3")
        expected = np.minimum(values[0] * 3, 2) // 1 == np.arange(3)[:, None, None]
        expected = np.where(np.isnan(values[0]), np.nan, expected)
        np.testing.assert_array_equal(found, expected)

    def test_every_layer_is_a_valid_cog(self, tmp_path, tiny_model):
        scene = write_scene(tmp_path / "scene.tif", random_scene(150, 160))
        done = predict(
            scene,
            tmp_path / "out.tif",
            model=tiny_model(),
            confidence=True,
            sr=True,
            fractions=True,
        )
        assert set(done.layers) == {"classes", "confidence", "sr", "fractions"}
        for path in done.layers.values():
            assert cog_validate(path, strict=True) == (True, [], [])

    def test_no_layer_is_overwritten_unasked(self, tmp_path, tiny_model):
        scene = write_scene(tmp_path / "scene.tif", random_scene(9, 9))
        (tmp_path / "out.sr.tif").write_bytes(b"II")
        with pytest.raises(OutputError, match=r"out\.sr\.tif: exists"):
            predict(scene, tmp_path / "out.tif", model=tiny_model(), sr=True)


class TestResume:
    """An interrupted run resumes, and makes the same map as an uninterrupted one."""

    OPTIONS = MappingProxyType({"window_size": 40, "overlap": 24, "confidence": True, "sr": True})

    @pytest.fixture
    def scene(self, tmp_path):
        values = np.random.default_rng(0).random((3, 203, 61), np.float32)
        return write_scene(tmp_path / "scene.tif", values)

    @pytest.fixture
    def model(self, tiny_model):
        return tiny_model(reach=5, halo=8, exact_halo=8)

    def stopped(self, scene, out, model, *, after: int, **options) -> None:
        def stop(progress: Progress) -> None:
            if progress.windows_done == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            predict(scene, out, model=model, on_progress=stop, **{**self.OPTIONS, **options})

    @pytest.mark.parametrize("after", [5, 11, 20, 29, 36])
    def test_to_the_same_bytes(self, tmp_path, scene, model, after):
        whole = predict(scene, tmp_path / "whole.tif", model=model, **self.OPTIONS)
        assert whole.windows == 36
        out = tmp_path / "out.tif"
        self.stopped(scene, out, model, after=after)
        assert not out.exists()
        seen: list[Progress] = []
        done = predict(scene, out, model=model, on_progress=seen.append, **self.OPTIONS)
        assert done.resumed == (after - 1) // 3
        # The windows of the run before are told apart, so that a rate counts this run's alone.
        before = 36 - done.windows
        network = [step.windows_done for step in seen if step.phase == "network"]
        assert network == list(range(before, 37))
        assert {progress.resumed for progress in seen} == {before}
        for layer, path in done.layers.items():
            assert path.read_bytes() == whole.layers[layer].read_bytes()
        assert not find_stores(tmp_path)

    def test_not_with_other_arguments(self, tmp_path, scene, model):
        out = tmp_path / "out.tif"
        self.stopped(scene, out, model, after=9)
        with pytest.raises(OutputError, match=r"halo 8 instead of 4.*`overwrite=True`"):
            predict(scene, out, model=model, **{**self.OPTIONS, "overlap": 16})
        done = predict(scene, out, model=model, overwrite=True, **{**self.OPTIONS, "overlap": 16})
        assert done.resumed == 0

    def test_not_with_another_scene_of_the_same_name(self, tmp_path, scene, model):
        out = tmp_path / "out.tif"
        self.stopped(scene, out, model, after=9)
        write_scene(scene, random_scene(203, 61))
        with pytest.raises(OutputError, match=r"a stopped run used scene scene\.tif"):
            predict(scene, out, model=model, **self.OPTIONS)

    def test_after_a_stop_among_the_renames(self, tmp_path, scene, model, monkeypatch):
        out = tmp_path / "out.tif"
        whole = predict(scene, tmp_path / "whole.tif", model=model, **self.OPTIONS)
        calls = []

        def publish_one_and_stop(*args, **kwargs):
            if calls:
                raise KeyboardInterrupt
            calls.append(publish(*args, **kwargs))

        monkeypatch.setattr("geosrseg.mapping.make_map.publish", publish_one_and_stop)
        with pytest.raises(KeyboardInterrupt):
            predict(scene, out, model=model, **self.OPTIONS)
        monkeypatch.undo()
        # A product that is named only now may be somebody's.
        page = tmp_path / "own.html"
        page.write_text("mine")
        with pytest.raises(OutputError, match=r"own\.html: exists"):
            predict(scene, out, model=model, report=page, **self.OPTIONS)
        assert page.read_text() == "mine"
        done = predict(scene, out, model=model, **self.OPTIONS)  # no `overwrite`
        assert (done.windows, done.network_seconds) == (0, 0)
        for layer, path in done.layers.items():
            assert path.read_bytes() == whole.layers[layer].read_bytes()


@pytest.mark.parametrize("content", ["", "all", "with a manifest"])
def test_a_marker_that_no_run_made_replaces_nothing(tmp_path, tiny_model, content):
    """A store planted by someone else that names files to replace."""
    scene = write_scene(tmp_path / "scene.tif", random_scene(30, 20))
    out, page = tmp_path / "map.tif", tmp_path / "own.html"
    names = [out, page, *style_paths(out), Path(f"{out}.aux.xml")]
    for path in names:
        path.write_text("II mine")
    store = store_folder(out)
    store.mkdir()
    text = json.dumps([str(path.absolute()) for path in names]) if content else ""
    (store / "publishing").write_text(text)
    if content == "with a manifest":
        (store / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match=r"exists|run had|another version"):
        predict(scene, out, model=tiny_model(), device="cpu", report=page)
    assert {path.read_text() for path in names} == {"II mine"}


def test_a_sidecar_of_somebody_is_not_deleted(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(30, 20))
    sidecar = tmp_path / "map.tif.msk"
    sidecar.write_text("mine")
    with pytest.raises(OutputError, match=r"map\.tif\.msk: would be read as a part of map\.tif"):
        predict(scene, tmp_path / "map.tif", model=tiny_model(), device="cpu")
    assert sidecar.read_text() == "mine"


@pytest.mark.parametrize("size", ["²", "9" * 20, "9" * 5000, "inf", "-8", "1", "٣٢"])
def test_a_window_size_that_no_run_wrote_is_not_taken(tmp_path, tiny_model, size):
    scene = write_scene(tmp_path / "scene.tif", random_scene(30, 20))
    store = store_folder(tmp_path / "map.tif")
    store.mkdir()
    said = {VERSION: __version__, FORM: "classes: class", "window size": f"{size} by free memory"}
    (store / "manifest.json").write_text(json.dumps(said))
    (store / "000000.npz").write_bytes(b"")  # it has finished a strip
    with pytest.raises(OutputError, match="the stopped run is of another version"):
        predict(scene, tmp_path / "map.tif", model=tiny_model(), device="cpu")
    done = predict(scene, tmp_path / "map.tif", model=tiny_model(), device="cpu", overwrite=True)
    assert done.windows == 1


def test_a_scene_that_changes_while_it_is_read_gives_no_map(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(64, 96))

    def change(progress: Progress) -> None:
        if progress.windows_done == 1:
            os.utime(scene, ns=(1, 1))

    with pytest.raises(SceneError, match="changed while it was read"):
        predict(scene, tmp_path / "out.tif", model=tiny_model(), on_progress=change)
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


class TestDamage:
    """Make a scene with a block that cannot be decoded."""

    @pytest.fixture
    def scene(self, tmp_path):
        blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": "pixel"}
        path = write_scene(tmp_path / "scene.tif", random_scene(40, 56), compress="lzw", **blocks)
        with rasterio.open(path) as dataset:
            place = int(dataset.get_tag_item("BLOCK_OFFSET_2_1", "TIFF", bidx=1))
        content = bytearray(path.read_bytes())
        content[place : place + 40] = bytes(40)
        path.write_bytes(content)
        return path

    def test_it_is_named(self, tmp_path, tiny_model, scene):
        with pytest.raises(SceneError, match=r"block 1,2 \(rows 16 to 31, columns 32 to 47\)"):
            predict(scene, tmp_path / "out.tif", model=tiny_model())

    def test_left_out_it_is_nodata_and_counted(self, tmp_path, tiny_model, scene):
        with pytest.warns(SceneWarning, match="1 damaged block left out"):
            done = predict(
                scene,
                tmp_path / "out.tif",
                model=tiny_model(),
                quicklook=tmp_path / "look.png",
                skip_bad_blocks=True,
            )
        assert done.bad_blocks == 1
        assert "1 damaged block left out" in done.warnings[-1]
        expected = expected_map(random_scene(40, 56))
        expected[64:128, 128:192] = 255
        assert np.array_equal(read_map(tmp_path / "out.tif"), expected)


def test_a_pixel_missing_in_some_bands_is_mapped_if_wanted(tmp_path, tiny_model):
    values = random_scene(40, 40)
    values[1, :, 10:] = np.nan
    values[:, :, 30:] = np.nan
    scene, model = write_scene(tmp_path / "scene.tif", values), tiny_model()
    expected = expected_map(np.nan_to_num(values))
    for nodata_if, columns in (("any", 10), ("all", 30)):
        out = tmp_path / f"{nodata_if}.tif"
        predict(scene, out, model=model, nodata_if=nodata_if)
        found = read_map(out)
        assert np.array_equal(found[:, : 4 * columns], expected[:, : 4 * columns])
        assert (found[:, 4 * columns :] == 255).all()


def test_a_scene_may_be_as_large_as_is_allowed(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "scene.tif", random_scene(40, 40))
    with pytest.raises(SceneError, match=r"declares 40 x 40 pixels, .* allow it with `max_pixels`"):
        predict(scene, tmp_path / "out.tif", model=tiny_model(), max_pixels=1599)
    predict(scene, tmp_path / "out.tif", model=tiny_model(), max_pixels=1600)


def test_a_scene_too_wide_for_memory(tmp_path, tiny_model, monkeypatch):
    scene = write_scene(tmp_path / "scene.tif", random_scene(40, 4000))
    monkeypatch.setattr("geosrseg.mapping.map_job.available_memory", lambda: 2_000_000)
    with pytest.raises(SceneError, match=r"4000 pixels wide, takes .* use a smaller `window_size`"):
        predict(scene, tmp_path / "out.tif", model=tiny_model(), window_size=40)
    predict(scene, tmp_path / "out.tif", model=tiny_model(), window_size=32)


def test_a_model_whose_halo_asks_for_windows_beyond_memory(tmp_path, tiny_model, monkeypatch):
    scene = write_scene(tmp_path / "scene.tif", random_scene(400, 400))
    monkeypatch.setattr(find_device("cpu"), "free_memory", lambda: 9_000_000)
    model = tiny_model(halo=4000, exact_halo=4096)
    with pytest.raises(DeviceMemoryError, match="a window of 400 x 400 pixels takes"):
        predict(scene, tmp_path / "out.tif", model=model, device="cpu")
    predict(scene, tmp_path / "out.tif", model=model, device="cpu", overlap=8)


def test_windows_are_those_that_the_device_takes(tmp_path, tiny_model, monkeypatch):
    scene = write_scene(tmp_path / "scene.tif", random_scene(64, 64))
    monkeypatch.setattr(find_device("cpu"), "limits", lambda _: Limits(window=48, batch=2))
    options = {"model": tiny_model(window_size=64), "device": "cpu"}
    assert predict(scene, tmp_path / "a.tif", **options, overlap=0).windows == 4
    with pytest.raises(DeviceError, match="windows of 64 x 64 pixels: cpu takes at most 48"):
        predict(scene, tmp_path / "b.tif", **options, window_size=64)
    with pytest.raises(DeviceError, match="`batch` 3: cpu takes at most 2 windows at once"):
        predict(scene, tmp_path / "b.tif", **options, batch=3)
