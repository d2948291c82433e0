"""Class maps by geosrseg and by other programs."""

import numpy as np
import pytest
import rasterio

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError
from geosrseg.raster.maps.class_map import open_class_map, plain_class_map, read_strips
from tests.raster.conftest import NORTH_UP, UTM
from tests.tiny_maps import write_class_map

LEGEND_TOML = """
[[classes]]
id = 3
name = "lake"
colour = "#0000ff"

[[classes]]
id = 1
name = "meadow"
colour = "#00ff00"
"""


def write_raster(path, values, *, colours=None, **profile):
    bands = values[None] if values.ndim == 2 else values
    count, height, width = bands.shape
    settings = {"dtype": values.dtype.name, "crs": UTM, "transform": NORTH_UP} | profile
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, **settings
    ) as dataset:
        dataset.write(bands)
        if colours:
            dataset.write_colormap(1, colours)
    return path


def everything(class_map):
    return np.concatenate([rows for _, rows in read_strips(class_map)])


def test_our_map_says_its_classes(tmp_path, labels, grid, legend):
    path = write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)
    opened = open_class_map(path)
    assert opened.legend == legend
    assert opened.grid == grid
    assert np.array_equal(everything(opened), labels)


def test_a_window_is_read_where_it_lies(tmp_path, labels, grid, legend):
    opened = open_class_map(write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend))
    ((place, rows),) = read_strips(opened, Window(7, 11, 20, 30))
    assert place == Window(7, 11, 20, 30)
    assert np.array_equal(rows, labels[7:27, 11:41])


def test_without_names_the_classes_are_the_values_that_occur(tmp_path):
    values = np.array([[0, 1, 7], [7, 1, 0]], np.uint8)
    path = write_raster(tmp_path / "m.tif", values, nodata=0, colours={1: (10, 20, 30, 255)})
    opened = open_class_map(path)
    assert opened.legend.ids == (1, 7)
    assert opened.legend.names == ("class 1", "class 7")
    assert opened.legend.classes[0].colour == "#0a141e"
    assert np.array_equal(everything(opened) == 255, values == 0)


def test_a_raster_attribute_table_names_them(tmp_path):
    path = write_raster(tmp_path / "m.tif", np.array([[1, 3]], np.uint8), nodata=255)
    fields = [("Value", 5), ("Class", 2), ("Red", 6), ("Green", 7), ("Blue", 8)]
    rows = [(1, "bog", 1, 2, 3), (3, "fen", 4, 5, 6)]
    (tmp_path / "m.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable>'
        + "".join(
            f'<FieldDefn index="{k}"><Name>{name}</Name><Usage>{usage}</Usage></FieldDefn>'
            for k, (name, usage) in enumerate(fields)
        )
        + "".join("<Row>" + "".join(f"<F>{cell}</F>" for cell in row) + "</Row>" for row in rows)
        + "</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"
    )
    legend = open_class_map(path).legend
    assert legend.names == ("bog", "fen")
    assert legend.classes[1].colour == "#040506"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])  # as Windows writes it
def test_a_legend_file_goes_before_all_else(tmp_path, encoding):
    path = write_raster(tmp_path / "m.tif", np.array([[1, 3]], np.int16), nodata=-9999)
    (tmp_path / "legend.toml").write_text(LEGEND_TOML, encoding=encoding)
    opened = open_class_map(path, legend=tmp_path / "legend.toml")
    assert opened.legend.names == ("meadow", "lake")  # by rising id


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("int16", -9999), ("uint8", 0), ("uint16", 65535), ("int32", None)]
)
def test_products_get_one_form(tmp_path, dtype, nodata):
    values = np.random.default_rng(1).integers(1, 5, (30, 40)).astype(dtype)
    if nodata is not None:
        values[:5] = nodata
    opened = open_class_map(write_raster(tmp_path / "m.tif", values, nodata=nodata))
    with plain_class_map(opened, tmp_path) as path, rasterio.open(path) as copy:
        plain = copy.read(1)
    assert plain.dtype == np.uint8
    assert np.array_equal(plain[5:], values[5:])
    assert (plain[:5] == 255).all() == (nodata is not None)
    assert not list(tmp_path.glob(".geosrseg-*"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 4), np.float32), "1 band of float32"),
        (np.array([[1, 300]], np.uint16), "holds values such as 300"),
        (np.array([[-1, 3]], np.int16), "distinct"),
    ],
)
def test_what_is_no_class_map_is_refused(tmp_path, values, words):
    with pytest.raises(OutputError, match=words):
        open_class_map(write_raster(tmp_path / "m.tif", values))


def test_a_legend_file_can_ignore_values(tmp_path):
    path = write_raster(tmp_path / "m.tif", np.array([[0, 1], [2, 1]], np.uint8))
    legend = tmp_path / "l.toml"
    classes = "".join(
        f'[[classes]]\nid = {k}\nname = "{k}"\ncolour = "#00000{k}"\n' for k in (1, 2)
    )
    legend.write_text(f"ignored = [0]\n{classes}")
    opened = open_class_map(path, legend=legend)
    assert everything(opened).tolist() == [[255, 1], [2, 1]]
    with plain_class_map(opened, tmp_path) as plain, rasterio.open(plain) as dataset:
        assert dataset.read(1).tolist() == [[255, 1], [2, 1]]


def test_a_value_outside_the_legend_is_named(tmp_path):
    path = write_raster(tmp_path / "m.tif", np.array([[1, 4]], np.uint8))
    (tmp_path / "legend.toml").write_text(LEGEND_TOML)
    opened = open_class_map(path, legend=tmp_path / "legend.toml")
    with pytest.raises(OutputError, match=r"holds 4, .* \(1, 3\)"):
        everything(opened)


@pytest.mark.parametrize(
    "text",
    ['<!DOCTYPE a [<!ENTITY b "c">]><PAMDataset/>', "<PAMDataset>", "\x00", "x" * (2**20 + 1)],
)
def test_a_hostile_sidecar_is_one_line(tmp_path, text):
    path = write_raster(tmp_path / "m.tif", np.array([[1, 3]], np.uint8))
    (tmp_path / "m.tif.aux.xml").write_text(text)
    with pytest.raises(OutputError, match=r"`legend`|move it away"):
        open_class_map(path)


@pytest.mark.parametrize(("scene", "is_used"), [("a.tif", True), ("b.tif", False), (None, True)])
def test_the_confidence_of_another_scene_is_not_the_maps(
    tmp_path, labels, grid, legend, scene, is_used
):
    tags = {"GEOSRSEG_INPUT": "a.tif"}
    path = write_class_map(tmp_path / "m.tif", labels, grid=grid, legend=legend, tags=tags)
    layer = write_raster(tmp_path / "m.confidence.tif", labels)
    with rasterio.open(layer, "r+") as dataset:
        dataset.update_tags(**({"GEOSRSEG_INPUT": scene} if scene else {}))
    assert open_class_map(path).confidence_path == (layer if is_used else None)
