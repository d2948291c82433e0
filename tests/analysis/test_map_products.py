"""Page, quicklook and STAC item of maps that were made long ago, here or anywhere else."""

import json
import re

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

import geosrseg
from geosrseg.analysis.map_products import quicklook, report, stac
from geosrseg.core.legend import NODATA
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.analysis.conftest import GRID, LEGEND
from tests.raster.maps.test_class_map import LEGEND_TOML, write_raster
from tests.stac_schemas import read_item
from tests.tiny_maps import write_class_map

TAGS = {
    "TIFFTAG_SOFTWARE": "geosrseg 1",
    "GEOSRSEG_INPUT": "LC08_L2SP_204023_20200927_20201006_02_T1",
    "GEOSRSEG_MODEL": "tiny 1",
    "GEOSRSEG_MODEL_SHA256": "ab" * 32,
    "GEOSRSEG_LICENCE": "CC BY 4.0",
    "GEOSRSEG_UNLIKE": "darker than most",
}
MAKERS = {"html": report, "png": quicklook, "json": stac}


@pytest.fixture
def tagged(tmp_path, labels):
    """A map of ours that says how it was made."""
    return write_class_map(tmp_path / "m.tif", labels, grid=GRID, legend=LEGEND, tags=TAGS)


@pytest.fixture
def foreign(tmp_path):
    """A map of another program: int16, nodata -9, wrong overviews, larger than a block."""
    values = np.random.default_rng(2).choice([1, 3], (560, 600)).astype(np.int16)
    values[:, :40] = -9
    path = write_raster(tmp_path / "f.tif", values, nodata=-9)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2], rasterio.enums.Resampling.average)
    (tmp_path / "legend.toml").write_text(LEGEND_TOML)
    return path, tmp_path / "legend.toml"


def pixels(path):
    with unreferenced_allowed(), rasterio.open(path) as dataset:
        return dataset.read().transpose(1, 2, 0)


def has(picture, colour):
    return bool((picture == np.array(colour)).all(axis=-1).any())


def data_of(page):
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_of_a_map_alone_says_what_its_tags_say(tmp_path, tagged):
    report(tagged, tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    for words in ("<h1>m.tif</h1>", "2020-09-27", "tiny 1", "CC BY 4.0", "darker than most"):
        assert words in page
    assert re.search(r'id="swipe"[^>]*hidden', page)
    assert data_of(page)["scene"] == []
    assert "Made on" not in page.replace("Page made on", "")


def test_a_title_stands_above_page_and_picture(tmp_path, tagged):
    report(tagged, tmp_path / "p.html", title="Delta & sea <2020>")
    assert "<h1>Delta &amp; sea &lt;2020&gt;</h1>" in (tmp_path / "p.html").read_text()
    pictures = []
    for title in ("", "m.tif", "Delta"):
        quicklook(tagged, tmp_path / "q.png", title=title, overwrite=True)
        pictures.append(pixels(tmp_path / "q.png"))
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])


@pytest.mark.parametrize(
    "form", ["two bands", "one band of an older version", "two bands, no doubt known"]
)
def test_the_page_says_how_much_of_the_map_is_in_doubt(tmp_path, tagged, form):
    report(tagged, tmp_path / "p.html")
    assert "doubt" not in (tmp_path / "p.html").read_text(encoding="utf-8")
    percent = np.full((2, 60, 80), 90, np.uint8)
    percent[0, 30:] = 80
    percent[1], percent[1, :, :8], percent[1, :, :2] = 0, 50, 100
    percent[:, :10] = 255
    if form == "two bands, no doubt known":
        percent[1] = 255
    elif form != "two bands":
        percent = np.where((percent[:1] < 255) & (percent[1:] > 0), percent[:1] + 128, percent[:1])
    path = write_raster(
        tmp_path / "m.confidence.tif", percent, crs=GRID.crs, transform=GRID.transform
    )
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(**TAGS, TIFFTAG_IMAGEDESCRIPTION="How sure")
    report(tagged, tmp_path / "p.html", overwrite=True)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "The mean confidence of the labels is 84 %" in page
    assert ("10.0 % of the map lies near unknown ground" in page) == ("no doubt" not in form)
    # Older versions did not say how near the unknown ground was.
    nearer = {"two bands": "2.5", "one band of an older version": "10.0"}.get(form)
    assert nearer is None or f"; for {nearer} %, the doubt is above" in page


def test_the_quicklook_of_a_map_alone_has_one_panel(tmp_path, tagged):
    quicklook(tagged, tmp_path / "q.png")
    picture = pixels(tmp_path / "q.png")
    assert all(has(picture, item.rgb) for item in LEGEND.classes)
    assert picture.shape[1] <= 1400


def test_the_item_lists_what_was_made_with_the_map_and_nothing_else(tmp_path, tagged, labels):
    share = np.zeros(labels.shape, np.uint8)
    for name, tags in {"confidence": TAGS, "sr": TAGS | {"GEOSRSEG_INPUT": "another"}}.items():
        path = write_raster(tmp_path / f"m.{name}.tif", share)
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(**tags, TIFFTAG_IMAGEDESCRIPTION="How sure")
    (tmp_path / "m.qml").write_text("<qgis/>")
    stac(tagged, tmp_path / "i.json")
    item = read_item(json.loads((tmp_path / "i.json").read_text(encoding="utf-8")))
    assert set(item.assets) == {"classes", "confidence", "qml"}
    assert item.assets["confidence"].title == "How sure"
    assert item.datetime.date().isoformat() == "2020-09-27"
    assert item.properties["license"] == "CC-BY-4.0"
    assert item.properties["geosrseg:model"] == "tiny 1"
    assert item.links == []


def test_maps_of_other_programs_are_taken(tmp_path, foreign):
    path, legend = foreign
    for suffix, make in MAKERS.items():
        make(path, tmp_path / f"f.{suffix}", legend=legend)
    levels = data_of((tmp_path / "f.html").read_text(encoding="utf-8"))["map"]
    assert [level["width"] for level in levels] == [300, 600]
    picture = pixels(tmp_path / "f.png")
    assert has(picture, (0, 0, 255))
    assert has(picture, (0, 255, 0))
    item = read_item(json.loads((tmp_path / "f.json").read_text(encoding="utf-8")))
    assert item.assets["classes"].extra_fields["bands"] == [
        {"name": "class", "data_type": "int16", "nodata": -9}
    ]
    found = item.assets["classes"].extra_fields["classification:classes"]
    assert [(c["value"], c["title"]) for c in found[:2]] == [(1, "meadow"), (3, "lake")]
    assert found[2]["value"] == -9
    assert sum(c["count"] for c in found[:2]) == 560 * 560
    assert not list(tmp_path.glob(".*"))  # the copy that was read is gone


def test_the_scene_stands_beside_its_map(tmp_path, tagged):
    coarse = write_raster(
        tmp_path / "s.tif", np.full((30, 40), 700, np.uint16), crs=GRID.crs,
        transform=GRID.transform @ Affine.scale(2),
    )  # fmt: skip
    for suffix, make in MAKERS.items():
        make(tagged, tmp_path / f"s.{suffix}", scene=coarse)
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert not re.search(r'id="swipe"[^>]*hidden', page)
    assert [level["width"] for level in data_of(page)["scene"]] == [40]
    assert json.loads((tmp_path / "s.json").read_text())["links"][0]["href"] == "s.tif"


def test_a_scene_of_other_ground_is_refused(tmp_path, tagged):
    other = write_raster(
        tmp_path / "s.tif", np.zeros((30, 40), np.uint8), crs=GRID.crs,
        transform=Affine.translation(20, 0) @ GRID.transform @ Affine.scale(2),
    )  # fmt: skip
    with pytest.raises(OutputError, match="does not cover the ground"):
        report(tagged, tmp_path / "p.html", scene=other)
    assert not (tmp_path / "p.html").exists()


@pytest.mark.parametrize(("pixel", "shift"), [(1.3e-4, 0), (1e-4, 9e-6)])
def test_a_scene_of_other_ground_is_refused_in_degrees_too(tmp_path, pixel, shift):
    """Both differences are below a hundred thousandth of a degree per pixel or corner."""
    place = Affine(2.5e-5, 0, 38.0, 0, -2.5e-5, 7.0)
    grid = Grid(CRS.from_epsg(4326), place, 40, 40)
    labels = np.ones((40, 40), np.uint8)
    class_map = write_class_map(tmp_path / "m.tif", labels, grid=grid, legend=LEGEND)
    scene = write_raster(
        tmp_path / "s.tif", np.zeros((10, 10), np.uint8), crs="EPSG:4326",
        transform=Affine(pixel, 0, 38.0 + shift, 0, -pixel, 7.0),
    )  # fmt: skip
    with pytest.raises(OutputError, match="does not cover the ground"):
        report(class_map, tmp_path / "p.html", scene=scene)


@pytest.mark.parametrize("suffix", MAKERS)
def test_what_is_there_stays(tmp_path, tagged, suffix):
    (tmp_path / f"p.{suffix}").write_text("mine")
    with pytest.raises(OutputError, match="`overwrite=True`"):
        MAKERS[suffix](tagged, tmp_path / f"p.{suffix}")
    MAKERS[suffix](tagged, tmp_path / f"p.{suffix}", overwrite=True)
    assert (tmp_path / f"p.{suffix}").read_bytes() != b"mine"


def test_they_are_those_that_predict_makes(tmp_path, write_scene, tiny_model, reflectance):
    scene = write_scene(reflectance)
    made = {name: tmp_path / f"p.{name}" for name in MAKERS}
    geosrseg.predict(
        scene, tmp_path / "map.tif", model=tiny_model(bands=3), bands="1,2,3", scale=1,
        any_resolution=True, report=made["html"], quicklook=made["png"], stac=made["json"],
    )  # fmt: skip
    for suffix, make in MAKERS.items():
        make(tmp_path / "map.tif", tmp_path / f"later.{suffix}", scene=scene)
    before, after = pixels(made["png"]), pixels(tmp_path / "later.png")
    half = before.shape[1] // 2  # the scene's panel may show other bands than the model's
    assert np.array_equal(before[:, half:], after[:, half:])
    pages = [path.read_text(encoding="utf-8") for path in (made["html"], tmp_path / "later.html")]
    assert data_of(pages[0])["map"] == data_of(pages[1])["map"]
    first, second = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (made["json"], tmp_path / "later.json")
    )
    assert first["assets"]["classes"] == second["assets"]["classes"]
    assert first["geometry"] == second["geometry"]
    assert NODATA in {c["value"] for c in first["assets"]["classes"]["classification:classes"]}
