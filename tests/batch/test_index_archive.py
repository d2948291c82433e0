"""The maps of an archive as one layer and one collection, by GDAL, by STAC's schema, by QGIS."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform

from geosrseg.analysis.map_products import stac
from geosrseg.batch.index_archive import COLLECTION, INDEX, index_archive
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.products.catalog.collection import common_bbox
from geosrseg.raster.files.grid import Grid
from tests.stac_schemas import check_schema
from tests.tiny_maps import write_class_map

LEGEND = Legend((LegendClass(1, "water", "#2166ac"), LegendClass(2, "a & b < c", "#1b7837")))

needs_gti = pytest.mark.skipif(
    tuple(map(int, rasterio.__gdal_version__.split(".")[:2])) < (3, 9),
    reason="GDAL before 3.9 has no tile index",
)


def grid(east=0, south=0, *, zone=32636, res=10.0, shape=(60, 80)):
    return Grid(
        CRS.from_epsg(zone), Affine(res, 0, 500_000 + east, 0, -res, 4_000_000 - south), *shape
    )


def add(folder: Path, name: str, where: Grid, *, fill=None, seed=0, legend=LEGEND) -> Path:
    """A map and its item; of squares of 5 pixels, or of one class with a hole of nodata."""
    small = np.random.default_rng(seed).choice([1, 2, 255], (where.height // 5, where.width // 5))
    labels = small.repeat(5, axis=0).repeat(5, axis=1)
    if fill is not None:
        labels[...] = fill
        labels[20:30, 20:30] = 255
    path = write_class_map(
        folder / f"{name}.tif", labels.astype(np.uint8), grid=where, legend=legend
    )
    stac(path, path.with_suffix(".json"), overwrite=True)
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "kafa"
    path.mkdir()
    return path


def read_there(layer: Path, one: Path):
    """The pixels of a layer where a map lies, and the map's."""
    with rasterio.open(one) as own, rasterio.open(layer) as dataset:
        return dataset.read(1, window=dataset.window(*own.bounds)), own.read(1)


@needs_gti
@pytest.mark.parametrize("layer", [INDEX, "index-EPSG-32636.vrt"])
def test_pixels_of_the_layer_are_those_of_each_map(folder, layer):
    maps = [add(folder, f"m{k}_2021010{k + 1}", grid(1000 * k, -500 * k), seed=k) for k in range(3)]
    found = index_archive(folder)
    assert (found.maps, found.left_out) == (3, ())
    assert set(found.files) == {COLLECTION, INDEX, "index-EPSG-32636.vrt"}
    for path in maps:
        there, own = read_there(folder / layer, path)
        assert np.array_equal(there, own)
    with rasterio.open(folder / layer) as dataset:
        assert (dataset.nodata, dataset.crs) == (255, CRS.from_epsg(32636))
        assert (dataset.height, dataset.width) == (160, 280)
        assert dataset.colormap(1)[2] == (0x1B, 0x78, 0x37, 255)


@needs_gti
@pytest.mark.parametrize("layer", [INDEX, "index-EPSG-32636.vrt"])
def test_the_latest_is_seen_and_nodata_never_wins(folder, layer):
    add(folder, "a_20210301", grid(), fill=1)
    add(folder, "b_20210101", grid(), fill=2)
    add(folder, "c_20200101", grid(200, 200), fill=2)
    index_archive(folder)
    with rasterio.open(folder / layer) as dataset:
        labels = dataset.read(1)
    expected = np.full((80, 100), 255)
    expected[20:, 20:] = 2
    expected[40:50, 40:50] = 255
    expected[:60, :80] = 1
    expected[20:30, 20:30] = 2  # the hole of a; that of b is there too, and c's is elsewhere
    assert np.array_equal(labels, expected)


@needs_gti
def test_maps_of_several_crs_are_one_layer_of_the_nearest_pixels(folder):
    maps = [
        add(folder, "m36_20210101", grid(3000), seed=1),
        add(folder, "m37_20210102", grid(zone=32637), seed=2),
    ]
    found = index_archive(folder)
    assert {name for name in found.files if name.endswith("vrt")} == {
        f"index-EPSG-{code}.vrt" for code in (32636, 32637)
    }
    with rasterio.open(folder / INDEX) as dataset:
        assert dataset.crs == CRS.from_epsg(4326)
        for path in maps:
            check_nearest(dataset, path)


@needs_gti
def test_a_map_across_180_degrees_is_in_the_layer_of_its_own_crs(folder):
    path = add(folder, "m01_20210103", grid(-196_550, -2_000_000, zone=32601), seed=3)
    assert json.loads(path.with_suffix(".json").read_text())["geometry"]["type"] == "MultiPolygon"
    assert index_archive(folder).left_out == ()
    there, own = read_there(folder / INDEX, path)
    assert np.array_equal(there, own)
    add(folder, "m36_20210101", grid())
    assert index_archive(folder).left_out[0].startswith("m01_20210103.json: its map crosses 180°")
    there, own = read_there(folder / "index-EPSG-32601.vrt", path)
    assert np.array_equal(there, own)


def check_nearest(dataset, path):
    """The layer has a map's class in the middle of each square, wherever its pixels lie there."""
    with rasterio.open(path) as own:
        rows, cols = np.indices(own.shape)[:, 2::5, 2::5].reshape(2, -1)
        xs, ys = own.transform @ (cols + 0.5, rows + 0.5)
        points = list(zip(*transform(own.crs, dataset.crs, xs, ys), strict=True))
        values = np.concatenate(list(dataset.sample(points)))
        assert np.array_equal(values, own.read(1)[rows, cols])


def test_the_collection_is_valid_and_leads_to_the_items(folder):
    add(folder, "one_20210301", grid())
    add(folder, "two_20190101", grid(5000, zone=32637))
    found = index_archive(folder)
    values = json.loads((folder / COLLECTION).read_text())
    check_schema(values, "collection")
    collection = pystac.Collection.from_file(str(folder / COLLECTION))
    items = {item.id: item for item in collection.get_items()}
    assert set(items) == {"one_20210301", "two_20190101"}
    assert collection.extent.temporal.intervals == [
        [datetime(2019, 1, 1, tzinfo=UTC), datetime(2021, 3, 1, tzinfo=UTC)]
    ]
    west, south, east, north = collection.extent.spatial.bboxes[0]
    for item in items.values():
        assert west <= item.bbox[0] < item.bbox[2] <= east
        assert south <= item.bbox[1] < item.bbox[3] <= north
    classes = values["item_assets"]["classes"]["classification:classes"]
    assert [item["title"] for item in classes] == ["water", "a & b < c", "No data"]
    assert {asset["href"] for asset in values["assets"].values()} == {
        f"./{name}" for name in found.files if name != COLLECTION
    }


def test_a_folder_can_be_moved_and_indexed_again(folder, tmp_path):
    add(folder, "a_20210101", grid(), seed=1)
    first = index_archive(folder)
    shutil.move(folder, tmp_path / "elsewhere")
    there, own = read_there(
        tmp_path / "elsewhere" / "index-EPSG-32636.vrt", tmp_path / "elsewhere" / "a_20210101.tif"
    )
    assert np.array_equal(there, own)
    (tmp_path / "elsewhere" / "a_20210101.json").unlink()
    add(tmp_path / "elsewhere", "b_20210101", grid(zone=32637))
    again = index_archive(tmp_path / "elsewhere")
    assert (first.maps, again.maps) == (1, 1)
    assert not (tmp_path / "elsewhere" / "index-EPSG-32636.vrt").exists()
    assert not list((tmp_path / "elsewhere").glob(".*"))


def test_maps_that_come_meanwhile_are_seen(folder, monkeypatch):
    from geosrseg.batch import index_archive as module

    add(folder, "a_20210101", grid())
    write, late = module._write, ["b_20210102"]

    def slow(*words):
        yield from write(*words)
        if late:
            add(folder, late.pop(), grid(800))

    monkeypatch.setattr(module, "_write", slow)
    assert index_archive(folder).maps == 2


def test_several_may_index_at_once(folder):
    maps = [add(folder, f"m{k}_2021010{k + 1}", grid(1000 * k), seed=k) for k in range(3)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(index_archive, [folder] * 8))
    assert [item.maps for item in found] == [3] * 8
    for path in maps:
        there, own = read_there(folder / "index-EPSG-32636.vrt", path)
        assert np.array_equal(there, own)
    check_schema(json.loads((folder / COLLECTION).read_text()), "collection")
    assert not list(folder.glob(".*"))


@needs_gti
@pytest.mark.parametrize("layer", [INDEX, "index-EPSG-32636.vrt"])
@pytest.mark.parametrize(
    "name", [" lead", "trail ", "a b,c", "é <x> & 日本", "q'u\"o", "[b]*", ".x"]
)
def test_names_of_all_kinds_are_found(folder, layer, name):
    path = add(folder, name, grid(), seed=1)
    assert index_archive(folder).left_out == ()
    there, own = read_there(folder / layer, path)
    assert np.array_equal(there, own)


def test_what_cannot_be_in_the_layer_is_named(folder):
    add(folder, "a_20210101", grid())
    add(folder, "lost_20210101", grid()).unlink()
    add(folder, "nowhere_20210101", Grid(None, Affine.identity(), 60, 80))
    mine = CRS.from_wkt('LOCAL_CS["mine",UNIT["metre",1]]')
    add(folder, "mine_20210101", Grid(mine, Affine(10, 0, 0, 0, -10, 0), 60, 80))
    (folder / "areas.json").write_text('{"classes": []}')
    (folder / "half.json").write_text('{"type": "Feature", "assets": {"classes": {}}}')
    found = index_archive(folder)
    assert found.maps == 3
    assert sorted(text.partition(":")[0] for text in found.left_out) == [
        "half.json", "lost_20210101.json", "mine_20210101.json", "nowhere_20210101.json",
    ]  # fmt: skip
    assert "is not there" in " ".join(found.left_out)


def test_items_that_lead_elsewhere_are_left_out(folder):
    add(folder, "a_20210101", grid())
    item = json.loads((folder / "a_20210101.json").read_text())
    for k, href in enumerate(["../secret.tif", "/etc/passwd", "https://x/y.tif", "..%2Fz.tif"]):
        item["assets"]["classes"]["href"] = href
        (folder / f"bad{k}.json").write_text(json.dumps(item))
    found = index_archive(folder)
    assert (found.maps, len(found.left_out)) == (1, 4)


@pytest.mark.parametrize("name", [COLLECTION, INDEX, "index-EPSG-32636.vrt"])
def test_files_of_somebody_else_stay(folder, name):
    add(folder, "a_20210101", grid())
    (folder / name).write_text('{"type": "Collection"}')
    with pytest.raises(OutputError, match="was not written by geosrseg index"):
        index_archive(folder)
    assert (folder / name).read_text() == '{"type": "Collection"}'


def test_a_style_that_somebody_has_changed_stays(folder):
    add(folder, "a_20210101", grid())
    index_archive(folder)
    (folder / "index.gti.qml").write_text("<qgis/>")
    index_archive(folder)
    assert (folder / "index.gti.qml").read_text() == "<qgis/>"


def test_what_is_no_archive_is_one_line(folder, tmp_path):
    with pytest.raises(OutputError, match="holds no class map with a STAC item"):
        index_archive(folder)
    with pytest.raises(OutputError, match="cannot be read"):
        index_archive(tmp_path / "none")
    add(folder, "a_20210101", grid())
    sand = Legend((LegendClass(1, "sand", "#ffffff"),))
    add(folder, "b_20210101", grid(), legend=sand, fill=1)
    with pytest.raises(OutputError, match="class 1 is 'sand' here and 'water' in"):
        index_archive(folder)
    assert not (folder / COLLECTION).exists()


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([(10, 1, 20, 2), (15, 0, 30, 1)], (10, 0, 30, 2)),
        ([(170, 0, 179, 1), (-175, 0, -170, 1)], (170, 0, -170, 1)),
        ([(179, 0, -178, 1), (-179.5, 0, -179, 1)], (179, 0, -178, 1)),
        ([(-180, 60, 180, 90), (3, 0, 4, 1)], (-180, 0, 180, 90)),
        ([], (-180, -90, 180, 90)),
    ],
)
def test_the_box_of_boxes_is_the_smallest_across_180_degrees_too(boxes, expected):
    assert common_bbox(boxes) == expected
