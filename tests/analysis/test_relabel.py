"""The same map with other classes, without small patches, or of a part of it."""

import numpy as np
import pytest
import rasterio
import shapely

from geosrseg.analysis.relabel import relabel
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
    ],
)
def test_a_legend_that_does_not_fit_is_one_line(tmp_path, class_map, text, words):
    with pytest.raises(OutputError, match=words):
        relabel(class_map, tmp_path / "o.tif", legend=write(tmp_path / "l.toml", text))
    assert not (tmp_path / "o.tif").exists()


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
