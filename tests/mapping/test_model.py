"""Tests a model that is opened once for several scenes, plans and arrays."""

import numpy as np
import pytest
import rasterio
from affine import Affine

import geosrseg
from geosrseg.errors import GeosrsegError, OutputError, SceneError
from tests.mapping.test_predict import NAMES, TRANSFORM, expected_map, random_scene, write_scene

CRS = "EPSG:32636"
PLACE = {"transform": TRANSFORM, "crs": CRS}


@pytest.fixture
def model(tiny_model):
    with geosrseg.open_model(tiny_model(), device="cpu") as model:
        yield model


def _interrupt(*_):
    raise KeyboardInterrupt


class TestScenes:
    def test_one_model_maps_many(self, tmp_path, model):
        scenes = [write_scene(tmp_path / f"{k}.tif", random_scene(9, 13, seed=k)) for k in range(3)]
        maps = tmp_path / "maps"
        maps.mkdir()
        seen = []
        outcomes = model.map_scenes(scenes, maps, on_outcome=seen.append)
        assert outcomes == seen
        for k, outcome in enumerate(outcomes):
            with rasterio.open(outcome.output) as file:
                assert np.array_equal(file.read(1), expected_map(random_scene(9, 13, seed=k)))

    def test_one_that_fails_stops_no_other(self, tmp_path, model):
        good = write_scene(tmp_path / "good.tif", random_scene(9, 13))
        maps = tmp_path / "maps"
        maps.mkdir()
        first, second = model.map_scenes([tmp_path / "none.tif", good], maps)
        assert isinstance(first.error, SceneError)
        assert second.prediction.output == maps / "good.tif"

    def test_a_product_file_without_the_scenes_name_is_for_one_scene(self, tmp_path, model):
        with pytest.raises(
            OutputError, match=r"`areas` .*a\.csv is one file, but there are 2 scenes"
        ):
            model.map_scenes(["a.tif", "b.tif"], tmp_path, areas=tmp_path / "a.csv")

    def test_to_skip_is_for_a_list_and_excludes_to_replace(self, tmp_path, model):
        with pytest.raises(OutputError, match="exclude each other"):
            model.map_scenes(["a.tif"], tmp_path, overwrite=True, skip_existing=True)
        with pytest.raises(OutputError, match="is for a list of scenes"):
            geosrseg.predict("a.tif", tmp_path / "a.tif", skip_existing=True)

    def test_a_map_whose_products_a_stopped_run_left_out_is_not_skipped(
        self, tmp_path, model, monkeypatch
    ):
        scene = write_scene(tmp_path / "a.tif", random_scene(9, 13))
        words = ([scene], tmp_path / "maps")
        with monkeypatch.context() as patch:
            patch.setattr("geosrseg.mapping.make_map.write_products", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                model.map_scenes(*words, areas=tmp_path / "{name}.csv")
        assert (tmp_path / "maps/a.tif").is_file()
        for state in ("done", "skipped"):
            (found,) = model.map_scenes(*words, areas=tmp_path / "{name}.csv", skip_existing=True)
            assert found.state == state
        assert (tmp_path / "a.csv").is_file()

    def test_predict_takes_a_list(self, tmp_path, tiny_model):
        scene = write_scene(tmp_path / "scene.tif", random_scene(9, 13))
        maps = tmp_path / "maps"
        maps.mkdir()
        (outcome,) = geosrseg.predict([scene], maps, model=tiny_model())
        assert outcome.output == maps / "scene.tif"
        assert outcome.output.is_file()

    def test_a_plan_needs_no_output(self, tmp_path, model):
        scene = write_scene(tmp_path / "scene.tif", random_scene(40, 60))
        plan = model.plan(scene, window_size=32, overlap=0)
        assert (plan.width, plan.height, plan.windows) == (240, 160, 4)
        assert [path.name for path in tmp_path.glob("*.tif")] == ["scene.tif"]

    def test_it_says_what_it_is(self, model):
        assert (model.spec.name, model.device, model.precision) == ("tiny", "cpu", "fp32")

    def test_a_closed_one_says_so(self, tmp_path, model):
        scene = write_scene(tmp_path / "scene.tif", random_scene(9, 13))
        model.close()
        with pytest.raises(ValueError, match="closed"):
            model.map(scene, tmp_path / "map.tif")


class TestArrays:
    def test_labels_are_those_of_the_same_file(self, model):
        values = random_scene(23, 31)
        found = model.map_array(values, band_names=NAMES, **PLACE)
        assert np.array_equal(found.labels, expected_map(values))
        assert set(np.unique(found.confidence)) == {100}
        assert (found.grid.height, found.grid.width) == (92, 124)
        assert found.grid.transform == TRANSFORM @ Affine.scale(1 / 4)
        assert found.grid.crs.to_epsg() == 32636
        assert found.legend.names == ("class 1", "class 2", "class 3")

    @pytest.mark.parametrize("layers", [[], ["confidence", "sr", "fractions"]])
    def test_every_layer_is_that_of_the_file(self, tmp_path, model, layers):
        values = random_scene(23, 31)
        values[:, 4:9, 5] = np.nan
        scene = write_scene(tmp_path / "scene.tif", values)
        wanted = geosrseg.MapOptions(layers=layers).having(window_size=16, overlap=0)
        done = model.map(scene, tmp_path / "map.tif", wanted)
        found = model.map_array(values, wanted, band_names=NAMES, **PLACE)
        assert list(found.layers) == list(done.layers)
        for name, path in done.layers.items():
            with rasterio.open(path) as file:
                np.testing.assert_array_equal(found.layers[name], file.read())

    def test_missing_pixels_are_nodata_or_masked(self, model):
        values = (random_scene(9, 13) * 10_000).astype(np.int16)
        hole = np.zeros((9, 13), bool)
        hole[2:4, 5] = True
        expected = np.where(hole.repeat(4, 0).repeat(4, 1), 255, expected_map(values * 1e-4))
        named = {"band_names": NAMES, "scale": 1e-4, **PLACE}
        masked = np.ma.masked_array(values, np.broadcast_to(hole, values.shape))
        assert np.array_equal(model.map_array(masked, **named).labels, expected)
        values[:, hole] = -9999
        assert np.array_equal(model.map_array(values, nodata=-9999, **named).labels, expected)

    @pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4", np.uint8, np.int64])
    def test_any_numbers(self, model, dtype):
        values = (random_scene(9, 13) * 90).astype(dtype)
        found = model.map_array(values, band_names=NAMES, scale=1 / 90, **PLACE)
        assert np.array_equal(found.labels, expected_map(values.astype(np.float32) / 90))

    def test_without_a_place_it_has_pixel_coordinates(self, model):
        found = model.map_array(random_scene(9, 13), band_names=NAMES)
        assert found.grid.crs is None
        assert "no georeference" in found.warnings[0]

    def test_progress_is_told(self, model):
        seen = []
        model.map_array(random_scene(9, 13), band_names=NAMES, on_progress=seen.append, **PLACE)
        steps = [(step.phase, step.windows_done, step.windows_total) for step in seen]
        assert steps == [("reading", 0, 1), ("network", 0, 1), ("network", 1, 1)]

    @pytest.mark.parametrize(
        ("array", "named", "message"),
        [
            (np.zeros((2, 9, 9), np.float32), {}, r"the array: the scene has 2 bands"),
            (
                np.zeros(9, np.float32),
                {},
                r"float32 \(9,\): expected numbers \(bands, rows, cols\)",
            ),
            (np.zeros((3, 9, 9), complex), {}, "complex128"),
            (np.zeros((3, 9, 0)), {}, r"\(3, 9, 0\)"),
            (np.zeros((3, 9, 9)), {"band_names": ["a"]}, "1 `band_names` for an array of 3 bands"),
            (np.zeros((3, 9, 9)), {"crs": "EPSG:none"}, "`crs` 'EPSG:none': is not a CRS"),
            (np.zeros((3, 9, 9)), {"transform": (1, 2)}, r"`transform` \(1, 2\): expected"),
            (np.zeros((3, 9, 9)), {"areas": "a.csv"}, "`areas` is made from a map's file"),
            (np.zeros((3, 9, 9)), {"mask": "cloud"}, "needs a product"),
            (np.zeros((3, 9, 9)), {"window": 8}, "no option 'window': did you mean window_size"),
        ],
    )
    def test_what_is_unusable_is_refused(self, model, array, named, message):
        with pytest.raises(GeosrsegError, match=message):
            model.map_array(array, **named)

    def test_a_map_beyond_memory_is_refused(self, model, monkeypatch):
        monkeypatch.setattr("geosrseg.mapping.array_map.available_memory", lambda: 1000)
        with pytest.raises(GeosrsegError, match=r"the map takes .* write the array to a file"):
            model.map_array(random_scene(9, 13), band_names=NAMES, **PLACE)


class TestXarray:
    @pytest.fixture
    def opened(self, tmp_path):
        rioxarray = pytest.importorskip("rioxarray")
        values = (random_scene(9, 13) * 10_000).astype(np.int16)
        values[:, 2, 3] = -9999
        path = write_scene(tmp_path / "scene.tif", values, nodata=-9999)
        with rasterio.open(path, "r+") as file:
            file.scales = (1e-4,) * 3
        with rioxarray.open_rasterio(path) as array:
            yield path, array

    def test_an_array_says_all_that_its_file_says(self, tmp_path, model, opened):
        path, array = opened
        model.map(path, tmp_path / "map.tif")
        found = model.map_array(array)
        with rasterio.open(tmp_path / "map.tif") as file:
            assert np.array_equal(found.labels, file.read(1))
            assert found.grid.transform.almost_equals(file.transform)
            assert found.grid.crs == file.crs

    def test_the_map_is_one_that_rioxarray_knows(self, model, opened):
        _, array = opened
        labels = model.map_array(array).to_xarray()
        assert labels.dims == ("y", "x")
        assert labels.rio.crs.to_epsg() == 32636
        assert labels.rio.nodata == 255
        assert labels.rio.transform().almost_equals(TRANSFORM @ Affine.scale(1 / 4))
        assert labels.rio.bounds() == pytest.approx(array.rio.bounds())
        assert labels.attrs["flag_meanings"] == "class_1 class_2 class_3"
        assert labels.attrs["flag_values"].tolist() == [1, 2, 3]

    def test_further_layers_have_their_bands(self, model, opened):
        _, array = opened
        found = model.map_array(array, fractions=True)
        shares = found.to_xarray("fractions")
        assert shares.band.values.tolist() == ["class 1", "class 2", "class 3"]
        assert shares.rio.bounds() == pytest.approx(array.rio.bounds())
        assert np.isnan(shares.sel(band="class 1").values[2, 3])
        with pytest.raises(OutputError, match="no layer 'sr': the map has classes"):
            found.to_xarray("sr")

    def test_bands_may_come_last_and_rows_upwards(self, model, opened):
        _, array = opened
        expected = model.map_array(array).labels
        turned = array.isel(y=slice(None, None, -1)).transpose("x", "y", "band")
        assert np.array_equal(model.map_array(turned).labels[::-1], expected)

    def test_a_dataset_is_refused(self, model, opened):
        _, array = opened
        with pytest.raises(SceneError, match="expected an xarray DataArray, got a Dataset"):
            model.map_array(array.to_dataset(name="scene"))

    def test_without_rioxarray_its_extra_is_named(self, model, opened, monkeypatch):
        _, array = opened
        monkeypatch.setitem(__import__("sys").modules, "rioxarray", None)
        with pytest.raises(geosrseg.MissingExtraError, match=r"'geosrseg\[xarray\]'"):
            model.map_array(array)
