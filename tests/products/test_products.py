"""The products of a finished map agree with the map."""

import csv
import json

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely

from geosrseg.errors import GeosrsegError, MissingExtraError, OutputError
from geosrseg.mapping.predict import predict
from geosrseg.products.ground_area import pixel_areas
from geosrseg.raster.files.grid import Grid
from tests.mapping.test_predict import random_scene, read_map, write_scene
from tests.stac_schemas import read_item


@pytest.fixture
def scene(tmp_path):
    values = random_scene(23, 37)
    values[:, 5:9, 20:30] = np.nan
    return write_scene(tmp_path / "scene.tif", values)


def true_areas(path):
    """Square metres of each value in a map."""
    labels = read_map(path)
    with rasterio.open(path) as file:
        field = pixel_areas(Grid(file.crs, file.transform, *file.shape))
    weights = np.stack([field.row(row) for row in range(len(labels))])
    return {value: weights[labels == value].sum() for value in (1, 2, 3)}


def test_table_polygons_and_map_have_the_same_areas(tmp_path, scene, tiny_model):
    out = tmp_path / "out.tif"
    table, vector = tmp_path / "areas.csv", tmp_path / "polygons.gpkg"
    done = predict(scene, out, model=tiny_model(), areas=table, vector=vector, confidence=True)
    expected = true_areas(out)
    with table.open(encoding="utf-8", newline="") as file:
        hectares = {
            int(row["class_id"]): float(row["hectares"]) for row in csv.DictReader(file)
            if row["class_id"]
        }  # fmt: skip
    # Rounded to 0.001 hectares, because a pixel has 56 square metres.
    assert {k: value * 1e4 for k, value in hectares.items()} == pytest.approx(expected, abs=5.01)
    assert done.areas.square_metres == pytest.approx(sum(expected.values()), rel=1e-12)
    assert done.areas.pixels == (read_map(out) != 255).sum()
    _, _, geometry, (ids, _, areas, confidence, _) = pyogrio.raw.read(vector, layer="polygons")
    sums = {value: areas[ids == value].sum() for value in expected}
    assert sums == pytest.approx(expected, rel=1e-12)
    assert shapely.area(shapely.from_wkb(geometry)).sum() == 7.5**2 * (read_map(out) != 255).sum()
    assert confidence.max() == 100


def test_styles_are_always_written(tmp_path, scene, tiny_model):
    predict(scene, tmp_path / "out.tif", model=tiny_model())
    names = {path.name for path in tmp_path.glob("out*")}
    assert names == {"out.tif", "out.tif.aux.xml", "out.qml", "out.sld"}


def test_nothing_is_counted_unless_it_is_asked_for(tmp_path, scene, tiny_model):
    assert predict(scene, tmp_path / "out.tif", model=tiny_model()).areas is None
    done = predict(
        scene, tmp_path / "out.tif", model=tiny_model(), count_areas=True, overwrite=True
    )
    assert len(done.areas.classes) == 3
    assert not list(tmp_path.glob("*.csv"))


def test_a_model_that_says_what_it_confuses_gives_adjusted_areas(tmp_path, scene, tiny_model):
    model = tiny_model(confusion=((90, 10, 0), (0, 100, 0), (0, 0, 100)))
    done = predict(scene, tmp_path / "out.tif", model=model, count_areas=True)
    first, second, _ = done.areas.classes
    assert first.estimate.square_metres == pytest.approx(
        first.square_metres + second.square_metres * 10 / 110
    )
    assert json.dumps(done.areas.to_json())


@pytest.mark.parametrize("name", ["out.qml", "areas.csv", "polygons.gpkg"])
def test_what_exists_is_refused_before_any_work_is_done(tmp_path, scene, tiny_model, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=name):
        predict(
            scene,
            tmp_path / "out.tif",
            model=tiny_model(),
            areas=tmp_path / "areas.csv",
            vector=tmp_path / "polygons.gpkg",
        )
    assert (tmp_path / name).read_text() == "mine"
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_area": 5.0}, "`min_area` needs `vector`"),
        ({"simplify": 5.0}, "`simplify` needs `vector`"),
        ({"vector": "a.gpkg", "min_area": 0.0}, "`min_area` 0: expected a number above 0"),
        ({"vector": "a.gpkg", "simplify": float("nan")}, "`simplify` nan: expected"),
        ({"vector": "a.shp"}, r"\.gpkg or \.fgb or \.geojson or \.parquet"),
        ({"areas": "a.xlsx"}, r"\.csv"),
    ],
)
def test_options_that_do_not_do(tmp_path, scene, tiny_model, options, message):
    files = {k: tmp_path / v for k, v in options.items() if isinstance(v, str)}
    with pytest.raises(GeosrsegError, match=message):
        predict(scene, tmp_path / "out.tif", model=tiny_model(), **{**options, **files})
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.filterwarnings("ignore::geosrseg.SceneWarning")
def test_what_needs_a_place_on_the_earth_is_refused_before_any_work(tmp_path, tiny_model):
    scene = write_scene(tmp_path / "nowhere.tif", random_scene(9, 9), crs=None)
    with pytest.raises(OutputError, match="no CRS"):
        predict(scene, tmp_path / "o.tif", model=tiny_model(), vector=tmp_path / "o.geojson")
    assert not list(tmp_path.glob("o.*"))


def test_without_the_extra_it_is_named_before_any_work(tmp_path, scene, tiny_model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "geosrseg.products.polygons.vector", None)
    monkeypatch.setattr("geosrseg.extras.PACKAGES", {"gis": ("geosrseg.products.polygons.vector",)})
    with pytest.raises(MissingExtraError, match=r"'geosrseg\[gis\]'"):
        predict(scene, tmp_path / "out.tif", model=tiny_model(), vector=tmp_path / "o.gpkg")


def test_the_report_says_how_the_map_was_made(tmp_path, scene, tiny_model):
    done = predict(
        scene, tmp_path / "out.tif", model=tiny_model(), seams="exact", report=tmp_path / "o.html"
    )
    text = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert done.areas is not None
    for fact in ("scene.tif", "tiny 1", "WGS 84 / UTM zone 36N (EPSG:32636)", "MIT"):
        assert f"<dd>{fact}</dd>" in text
    assert "halo 0, seams exact</dd>" in text
    assert "<dd>number × 1 + 0</dd>" in text
    assert "Area of interest" not in text
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.tags()["GEOSRSEG_MODEL_SHA256"] in text


def test_the_item_lists_every_file(tmp_path, tiny_model):
    scene = tmp_path / "LC08_L2SP_204023_20200927_20201006_02_T1.tif"
    write_scene(scene, random_scene(9, 11))
    names = {"areas": "a.csv", "vector": "v.fgb", "report": "r.html", "quicklook": "q.png"}
    files = {key: tmp_path / name for key, name in names.items()}
    item = tmp_path / "out.json"
    predict(scene, tmp_path / "out.tif", model=tiny_model(), sr=True, stac=item, **files)
    values = read_item(json.loads(item.read_text(encoding="utf-8")))
    assert values.datetime.date().isoformat() == "2020-09-27"
    assert values.properties["geosrseg:model"] == "tiny 1"
    assert {key: asset.href for key, asset in values.assets.items()} == {
        "classes": "out.tif",
        "sr": "out.sr.tif",
        "qml": "out.qml",
        "sld": "out.sld",
        **names,
    }
