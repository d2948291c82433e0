"""The same map with other classes, without small patches, or of a part of it."""

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.warp import transform

from geosrseg.analysis.relabel import relabel
from geosrseg.analysis.zonal_areas import zonal_areas
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.raster.maps.class_map import open_class_map
from tests.analysis.conftest import GRID, LEGEND, write_polygons
from tests.raster.maps.test_class_map import write_raster
from tests.tiny_maps import write_class_map

MERGED = """
ignored = [1]

[[classes]]
id = 4
name = "land"
colour = "#aabbcc"
from = [2, "cropland"]
"""


def to_degrees(points):
    return np.stack(transform("EPSG:32636", "EPSG:4326", *points.T), axis=1)


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def write(path, text):
    path.write_text(text)
    return path


def test_classes_are_merged_renamed_and_recoloured(tmp_path, class_map, labels):
    legend = write(tmp_path / "l.toml", MERGED)
    relabel(class_map, tmp_path / "out.tif", legend=legend)
    assert np.array_equal(read(tmp_path / "out.tif"), np.where(np.isin(labels, (2, 5)), 4, 255))
    found = open_class_map(tmp_path / "out.tif").legend
    assert [(c.id, c.name, c.colour) for c in found.classes] == [(4, "land", "#aabbcc")]
    assert (tmp_path / "out.qml").is_file()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MERGED.replace("ignored = [1]", ""), "does not mention 1 water"),
        (MERGED.replace('"cropland"', '"crops"'), "from 'crops', which is not a class"),
        (MERGED.replace("colour", "color"), "did you mean colour"),
        (MERGED.replace("[1]", "[1, 5]"), "has 5 cropland in 'ignored' and in class 4 land"),
        (
            MERGED + '[[classes]]\nid = 2\nname = "forest"\ncolour = "#000000"\n',
            "has 2 forest in class 2 forest and in class 4 land: leave one",
        ),
    ],
)
def test_a_legend_that_does_not_fit_is_one_line(tmp_path, class_map, text, words):
    with pytest.raises(OutputError, match=words):
        relabel(class_map, tmp_path / "o.tif", legend=write(tmp_path / "l.toml", text))
    assert not (tmp_path / "o.tif").exists()


def test_a_class_named_twice_in_one_rule_is_no_contradiction(tmp_path, class_map, labels):
    legend = write(tmp_path / "l.toml", MERGED.replace("[2,", '[2, "forest",'))
    relabel(class_map, tmp_path / "out.tif", legend=legend)
    assert np.array_equal(read(tmp_path / "out.tif"), np.where(np.isin(labels, (2, 5)), 4, 255))


def test_case_counts_where_it_tells_classes_apart(tmp_path, labels):
    classes = (
        LegendClass(1, "Forest", "#000001"),
        LegendClass(2, "forest", "#000002"),
        LegendClass(5, "sand", "#000003"),
    )
    path = write_class_map(tmp_path / "m.tif", labels, grid=GRID, legend=Legend(classes))
    text = MERGED.replace("cropland", "forest").replace("[2, ", "[").replace("[1]", "[1, 5]")
    relabel(path, tmp_path / "out.tif", legend=write(tmp_path / "l.toml", text))
    assert np.array_equal(read(tmp_path / "out.tif"), np.where(labels == 2, 4, 255))
    with pytest.raises(OutputError, match="'FOREST' may be 1 Forest, 2 forest: give the id"):
        relabel(
            path,
            tmp_path / "no.tif",
            legend=write(tmp_path / "l.toml", text.replace('"forest"', '"FOREST"')),
        )


def test_values_that_no_class_has_can_be_ignored(tmp_path, class_map, labels):
    """The sidecar names 1, 2 and 5; another program wrote 0 where it had nothing."""
    with rasterio.open(class_map, "r+", IGNORE_COG_LAYOUT_BREAK=True) as dataset:
        values = labels.copy()
        values[10:20, 10:20] = 0
        dataset.write(values, 1)
    legend = write(tmp_path / "l.toml", MERGED.replace("[1]", "[0, 1]"))
    relabel(class_map, tmp_path / "out.tif", legend=legend)
    assert np.array_equal(read(tmp_path / "out.tif"), np.where(np.isin(values, (2, 5)), 4, 255))


@pytest.mark.parametrize("crs", ["EPSG:32636", "EPSG:4326"])
def test_polygons_that_cross_or_cover_themselves_keep_all_their_ground(tmp_path, class_map, crs):
    """Counted by hand in pixels of 10 m, from row and column 10 on."""
    ring = lambda *points: [(500_100 + 10 * x, 3_999_900 - 10 * y) for x, y in points]  # noqa: E731
    bowtie = shapely.Polygon(ring((0, 0), (18, 18), (18, 0), (0, 18)))
    twice = shapely.MultiPolygon(
        [
            shapely.Polygon(ring((0, 0), (10, 0), (10, 10), (0, 10))),
            shapely.Polygon(ring((4, 4), (14, 4), (14, 14), (4, 14))),
        ]
    )
    spike = shapely.Polygon(ring((0, 0), (10, 0), (10, 10), (5, 10), (5, 30), (5, 10), (0, 10)))
    for shape, pixels in ((bowtie, 162), (twice, 164), (spike, 100)):
        there = shape
        if crs != "EPSG:32636":
            there = shapely.transform(shape, to_degrees)
        path = write_polygons(tmp_path / "p.gpkg", [there], crs=crs, id=[1])
        relabel(class_map, tmp_path / "o.tif", clip=path, overwrite=True)
        assert (read(tmp_path / "o.tif") != 255).sum() == pytest.approx(pixels, abs=1)
        (zone,) = zonal_areas(class_map, zones=path)
        assert zone.areas.pixels == pytest.approx(pixels, abs=1)
        path.unlink()


def test_it_is_cut_to_polygons_on_the_same_grid(tmp_path, class_map, labels):
    triangle = shapely.Polygon([(500_100, 3_999_950), (500_400, 3_999_950), (500_100, 3_999_650)])
    clip = write_polygons(tmp_path / "c.gpkg", [triangle], n=[1])
    relabel(class_map, tmp_path / "out.tif", clip=clip)
    cut = read(tmp_path / "out.tif")
    assert cut.shape == (30, 30)
    rows, cols = np.mgrid[:30, :30]
    inside = rows + cols + 1 < 30  # centres below the diagonal
    inner = labels[5:35, 10:40]
    assert np.array_equal(cut[inside], inner[inside])
    assert (cut[rows + cols + 1 > 30] == 255).all()
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert dataset.transform == GRID.transform @ GRID.transform.translation(10, 5)


def test_small_patches_go_to_their_largest_neighbour(tmp_path):
    labels = np.full((60, 80), 2, np.uint8)
    labels[10:12, 10:12] = 5  # 400 square metres
    labels[30:40, 30:40] = 5  # a hectare
    path = write_class_map(tmp_path / "m.tif", labels, grid=GRID, legend=LEGEND)
    relabel(path, tmp_path / "out.tif", min_area=1000)
    assert (read(tmp_path / "out.tif") == 5).sum() == 100


@pytest.mark.parametrize("form", ["two bands", "one band of an older version"])
def test_pixels_that_are_not_sure_become_nodata(tmp_path, class_map, labels, form):
    percent = np.full((2, *labels.shape), 90, np.uint8)
    percent[0, :, 40:] = 40
    percent[1] = 100
    percent[:, :5] = 255
    if form != "two bands":
        percent = percent[:1]
        percent[:, 20:, :] += 128
    with rasterio.open(class_map) as source:
        profile = source.profile | {"driver": "GTiff", "count": len(percent)}
    with rasterio.open(tmp_path / "map.confidence.tif", "w", **profile) as file:
        file.write(percent)
    relabel(class_map, tmp_path / "out.tif", min_confidence=50)
    out = read(tmp_path / "out.tif")
    assert (out[:, 40:] == 255).all()
    assert (out[:5] == 255).all()  # nobody knows how sure they are
    assert np.array_equal(out[5:, :40], labels[5:, :40])


def test_pixels_in_doubt_become_nodata(tmp_path, class_map, labels):
    percent = np.full((2, *labels.shape), 90, np.uint8)
    percent[1] = np.arange(labels.shape[1])
    write_raster(tmp_path / "map.confidence.tif", percent, crs=GRID.crs, transform=GRID.transform)
    relabel(class_map, tmp_path / "out.tif", max_doubt=50)
    out = read(tmp_path / "out.tif")
    assert np.array_equal(out[:, :51], labels[:, :51])
    assert (out[:, 51:] == 255).all()
    relabel(class_map, tmp_path / "both.tif", max_doubt=50, min_confidence=91)
    assert (read(tmp_path / "both.tif") == 255).all()


def test_doubt_that_is_not_known_takes_no_map_away(tmp_path, class_map, labels):
    percent = np.full((2, *labels.shape), 90, np.uint8)
    percent[1] = 255
    layer = write_raster(
        tmp_path / "map.confidence.tif", percent, crs=GRID.crs, transform=GRID.transform
    )
    with pytest.raises(OutputError, match="holds no doubt: leave out `max_doubt`"):
        relabel(class_map, tmp_path / "out.tif", max_doubt=50, confidence=layer)
    assert not list(tmp_path.glob("out*"))
    relabel(class_map, tmp_path / "out.tif", min_confidence=50)
    assert np.array_equal(read(tmp_path / "out.tif"), labels)


@pytest.mark.parametrize("area", [0.0, -1.0, float("nan"), float("inf")])
def test_an_area_that_is_none_is_refused(tmp_path, class_map, area):
    with pytest.raises(OutputError, match=r"`min_area` .*: expected a number above 0"):
        relabel(class_map, tmp_path / "out.tif", min_area=area)


def test_the_layer_that_is_read_is_not_replaced(tmp_path, class_map, labels):
    layer = write_raster(
        tmp_path / "sure.tif", np.full((2, *labels.shape), 80, np.uint8), crs=GRID.crs,
        transform=GRID.transform,
    )  # fmt: skip
    with pytest.raises(OutputError, match=r"sure\.tif: is read to make it: choose another name"):
        relabel(class_map, layer, min_confidence=50, confidence=layer, overwrite=True)


@pytest.mark.parametrize("option", ["min_confidence", "max_doubt"])
def test_a_limit_that_is_no_percent_is_refused(tmp_path, class_map, option):
    with pytest.raises(OutputError, match=f"`{option}` 101: expected 0 to 100 percent"):
        relabel(class_map, tmp_path / "out.tif", **{option: 101})


def test_what_is_no_confidence_layer_is_refused(tmp_path, class_map):
    height = write_raster(
        tmp_path / "height.tif", np.full((GRID.height, GRID.width), 80.5, np.float32),
        crs=GRID.crs, transform=GRID.transform,
    )  # fmt: skip
    with pytest.raises(OutputError, match="expected a confidence layer"):
        relabel(class_map, tmp_path / "out.tif", min_confidence=50, confidence=height)
    assert not (tmp_path / "out.tif").exists()


def test_confidence_that_is_not_there_is_named(tmp_path, class_map):
    with pytest.raises(OutputError, match="predict writes one with `confidence`"):
        relabel(class_map, tmp_path / "out.tif", min_confidence=50)
