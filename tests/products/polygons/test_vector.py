import json
import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
import rasterio.features
import rasterio.warp
import shapely
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.legend import Legend
from geosrseg.errors import OutputError
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.polygons.vector import write_polygons
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps import strips
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.raster.conftest import NORTH_UP, UTM
from tests.tiny_maps import write_class_map

FORMATS = ("gpkg", "fgb", "geojson", "parquet")


@pytest.fixture
def labels(legend):
    values = np.array([*legend.ids, 255], np.uint8)
    small = np.random.default_rng(3).choice(values, (22, 31), p=[0.5, 0.3, 0.15, 0.05])
    return small.repeat(3, axis=0).repeat(2, axis=1)[:61, :57]


@pytest.fixture
def write_map(tmp_path, legend):
    def write(labels, *, crs=UTM, transform=NORTH_UP):
        grid = Grid(crs, transform, *labels.shape)
        return write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)

    return write


@pytest.fixture
def confidence(tmp_path, labels):
    """Percent of confidence and doubt, and 255 in a tenth of the pixels."""
    path, rng = tmp_path / "confidence.tif", np.random.default_rng(4)
    values = rng.integers(20, 101, (2, *labels.shape)).astype(np.uint8)
    values[:, rng.random(labels.shape) < 0.1] = 255
    height, width = labels.shape
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 2, "height": height, "width": width}
    with rasterio.open(path, "w", crs=UTM, transform=NORTH_UP, **profile) as dataset:
        dataset.write(values)
    return path


@pytest.fixture(autouse=True)
def _small_strips(monkeypatch):
    monkeypatch.setattr(strips, "STRIP_PIXELS", 57 * 7)


def read(path):
    """The polygons and their attributes."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        columns = {name: table[name].to_numpy() for name in table.column_names}
        return shapely.from_wkb(columns.pop("geometry")), columns
    layer = path.stem if path.suffix == ".gpkg" else None
    meta, _, geometry, values = pyogrio.raw.read(path, layer=layer)
    return shapely.from_wkb(geometry), dict(zip(meta["fields"], values, strict=True))


def burn(polygons, values, grid):
    """A raster of the polygons."""
    return rasterio.features.rasterize(
        zip(polygons, values.tolist(), strict=True),
        out_shape=(grid.height, grid.width),
        transform=grid.transform,
        fill=255,
        dtype="uint8",
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_holds_the_map(suffix, tmp_path, write_map, labels, legend):
    path = tmp_path / f"map.{suffix}"
    write_polygons(write_map(labels), path, legend=legend)
    polygons, values = read(path)
    names = dict(zip(legend.ids, legend.names, strict=True))
    assert [names[k] for k in values["class_id"].tolist()] == values["class_name"].tolist()
    assert list(values) == ["class_id", "class_name", "area_m2"]
    if suffix == "geojson":
        polygons = shapely.transform(
            polygons, lambda xy: np.array(rasterio.warp.transform(4326, UTM, *xy.T)).T
        )
    burnt = burn(polygons, values["class_id"], Grid(UTM, NORTH_UP, *labels.shape))
    assert np.array_equal(burnt, labels)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_areas_are_those_of_the_pixels(suffix, tmp_path, write_map, labels, legend):
    path = tmp_path / f"map.{suffix}"
    write_polygons(write_map(labels), path, legend=legend)
    polygons, values = read(path)
    field = pixel_areas(Grid(UTM, NORTH_UP, *labels.shape))
    weights = np.stack([field.row(row) for row in range(len(labels))])
    assert values["area_m2"].sum() == pytest.approx(weights[labels != 255].sum(), rel=1e-12)
    if suffix != "geojson":
        assert shapely.area(polygons).sum() == 900 * (labels != 255).sum()


def test_the_means_of_confidence_and_doubt_are_those_of_the_pixels_that_have_them(
    tmp_path, write_map, labels, confidence, legend
):
    path = tmp_path / "map.gpkg"
    write_polygons(write_map(labels), path, legend=legend, confidence_path=confidence)
    polygons, values = read(path)
    percent = rasterio.open(confidence).read()
    grid = Grid(UTM, NORTH_UP, *labels.shape)
    for polygon, *means in zip(polygons, values["confidence"], values["doubt"], strict=True):
        inside = burn([polygon], np.array([1]), grid) == 1
        known = percent[:, inside & (percent[0] != 255)]
        expected = known.mean(axis=1) if known.size else [np.nan] * 2
        assert means == pytest.approx(list(expected), nan_ok=True)


def test_a_geojson_is_in_longitude_and_latitude_and_counter_clockwise(
    tmp_path, write_map, labels, legend
):
    path = tmp_path / "map.geojson"
    write_polygons(write_map(labels), path, legend=legend)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert "crs" not in document
    polygons, _ = read(path)
    west, south, east, north = shapely.total_bounds(polygons)
    assert 35 < west < east < 36
    assert 7 < south < north < 8
    assert shapely.is_ccw(shapely.get_exterior_ring(polygons)).all()


def test_a_geojson_may_be_larger_than_gdal_reads_without_being_told(
    tmp_path, write_map, labels, legend
):
    path = tmp_path / "map.geojson"
    pyogrio.set_gdal_config_options({"OGR_GEOJSON_MAX_OBJ_SIZE": 0.001})
    try:
        write_polygons(write_map(labels), path, legend=legend)
        with pytest.raises(pyogrio.errors.DataSourceError, match="too complex/large"):
            pyogrio.read_info(path)
    finally:
        pyogrio.set_gdal_config_options({"OGR_GEOJSON_MAX_OBJ_SIZE": None})
    polygons, _ = read(path)
    assert len(json.loads(path.read_text(encoding="utf-8"))["features"]) == len(polygons)


def test_a_geoparquet_says_where_its_coordinates_belong(tmp_path, write_map, labels, legend):
    path = tmp_path / "map.parquet"
    write_polygons(write_map(labels), path, legend=legend)
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert (geo["version"], column["encoding"]) == ("1.1.0", "WKB")
    assert CRS.from_user_input(json.dumps(column["crs"])) == UTM
    assert column["geometry_types"] == ["Polygon"]


@pytest.mark.parametrize("flip", [1, -1])
def test_a_rotated_or_south_up_map(flip, tmp_path, write_map, labels, legend):
    transform = Affine.translation(5e5, 4e6) @ Affine.rotation(20) @ Affine.scale(30, 30 * flip)
    path = tmp_path / "map.fgb"
    write_polygons(write_map(labels, transform=transform), path, legend=legend)
    polygons, values = read(path)
    burnt = burn(polygons, values["class_id"], Grid(UTM, transform, *labels.shape))
    assert np.array_equal(burnt, labels)
    assert shapely.is_ccw(shapely.get_exterior_ring(polygons)).all()


def test_small_polygons_become_a_part_of_their_neighbours(tmp_path, write_map, labels, legend):
    path = tmp_path / "map.gpkg"
    write_polygons(write_map(labels), path, legend=legend, min_area=20 * 900)
    polygons, values = read(path)
    assert values["area_m2"].min() > 20 * 890
    assert shapely.area(polygons).sum() == 900 * (labels != 255).sum()
    assert shapely.coverage_is_valid(polygons)


def test_simplified_polygons_share_their_borders(tmp_path, write_map, labels, legend):
    whole, simple = tmp_path / "whole.gpkg", tmp_path / "simple.gpkg"
    write_polygons(write_map(labels), whole, legend=legend)
    write_polygons(write_map(labels), simple, legend=legend, simplify=60)
    (a, before), (b, after) = read(whole), read(simple)
    assert len(shapely.get_coordinates(b)) < 0.9 * len(shapely.get_coordinates(a))
    assert shapely.is_valid(b).all()
    assert shapely.coverage_is_valid(b)
    assert after["area_m2"].tolist() == before["area_m2"].tolist()


def test_a_map_without_a_crs(tmp_path, write_map, labels, legend):
    path, class_map = tmp_path / "map.gpkg", write_map(labels, crs=None)
    write_polygons(class_map, path, legend=legend)
    polygons, values = read(path)
    assert pyogrio.read_info(path, layer="map")["crs"] is None
    assert np.isnan(values["area_m2"]).all()
    assert shapely.area(polygons).sum() == 900 * (labels != 255).sum()
    with pytest.raises(OutputError, match="no CRS: choose another format"):
        write_polygons(class_map, tmp_path / "map.geojson", legend=legend)
    with pytest.raises(OutputError, match="leave it out"):
        write_polygons(class_map, tmp_path / "other.gpkg", legend=legend, min_area=5)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_map_without_a_valid_pixel(suffix, tmp_path, write_map, legend):
    path = tmp_path / f"map.{suffix}"
    empty = write_map(np.full((9, 57), 255, np.uint8))
    write_polygons(empty, path, legend=legend, simplify=30)
    assert len(read(path)[0]) == 0


def test_an_existing_file_stays(tmp_path, write_map, labels, legend):
    path = tmp_path / "map.gpkg"
    path.write_text("mine")
    with pytest.raises(OutputError, match="`overwrite=True`"):
        write_polygons(write_map(labels), path, legend=legend)
    assert path.read_text() == "mine"
    write_polygons(write_map(labels), path, legend=legend, overwrite=True)
    assert len(read(path)[0])


def test_a_class_map_that_is_damaged(tmp_path, write_map, labels, legend):
    class_map = write_map(labels)
    os.truncate(class_map, class_map.stat().st_size - 200)
    with pytest.raises(OutputError, match=r"map\.tif: cannot be read"):
        write_polygons(class_map, tmp_path / "map.gpkg", legend=legend)
    assert not (tmp_path / "map.gpkg").exists()


def test_a_map_of_other_classes(tmp_path, write_map, labels, legend):
    with pytest.raises(OutputError, match="contains 5, which is not in its legend"):
        write_polygons(write_map(labels), tmp_path / "m.fgb", legend=Legend(legend.classes[:2]))
    assert [path.name for path in tmp_path.glob("*m.fgb*")] == []


def test_confidence_on_another_grid(tmp_path, write_map, labels, confidence, legend):
    class_map = write_map(labels[:, :-1])
    with pytest.raises(OutputError, match="not on the grid"):
        write_polygons(class_map, tmp_path / "m.fgb", legend=legend, confidence_path=confidence)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_noticed(suffix, tmp_path, write_map, labels, legend):
    class_map, path = write_map(labels), tmp_path / f"map.{suffix}"
    code = (
        "import resource, sys\n"
        "from geosrseg.core.legend import Legend\n"
        "from geosrseg.errors import OutputError\n"
        "from geosrseg.products.polygons.vector import write_polygons\n"
        f"legend = Legend.from_json({legend.to_json()!r})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try:\n"
        f"    write_polygons({str(class_map)!r}, {str(path)!r}, legend=legend)\n"
        "except OutputError as error:\n"
        "    print('refused:', error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("refused:"), done.stdout + done.stderr
    assert not path.exists()
    with unreferenced_allowed(), rasterio.open(class_map):
        pass
