"""Areas of interest, against a naive point-in-polygon test of every pixel's centre."""

import json
import os
import pickle
import re
import sqlite3
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.aoi import Aoi, read_aoi
from geosrseg.raster.header.aoi_file import area_of_file
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import BANDS, NORTH_UP, UTM

GRID = Grid(UTM, NORTH_UP, 37, 53)
ALL = Window(0, 0, 37, 53)
# No centre of a pixel lies on a side.
TRIANGLE = shapely.Polygon([(800_103.3, 849_907.1), (801_211.7, 849_702.9), (800_507.7, 849_013.1)])
TRANSFORMS = {
    "north up": NORTH_UP,
    "south up": Affine(30, 0, 800_000, 0, 30, 849_000),
    "rotated": NORTH_UP @ Affine.rotation(-20),
    "long pixels": Affine(60, 0, 800_000, 0, -15, 850_000),
}


def centres_inside(polygon, grid):
    rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
    x, y = grid.transform @ (cols, rows)
    return shapely.contains_xy(polygon, x, y)


def write_geojson(path, *geometries, crs=None):
    features = [
        {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(item))}
        for item in geometries
    ]
    document = {"type": "FeatureCollection", "features": features}
    if crs:
        document["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(document))
    return path


def in_degrees(polygon, grid=GRID):
    def convert(points):
        return np.stack(transform(grid.crs, "EPSG:4326", *points.T), axis=1)

    return shapely.transform(shapely.segmentize(polygon, 10), convert)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_pixel_is_inside_if_its_centre_is(name):
    grid = Grid(UTM, TRANSFORMS[name], 37, 53)
    inside = Aoi(TRIANGLE).inside(grid, ALL)
    assert inside.any()
    assert np.array_equal(inside, centres_inside(TRIANGLE, grid))


@settings(max_examples=50)
@given(st.data())
def test_a_window_is_cut_out_of_the_whole(data):
    row, col = data.draw(st.integers(0, 36)), data.draw(st.integers(0, 52))
    window = Window(
        row, col, data.draw(st.integers(1, 37 - row)), data.draw(st.integers(1, 53 - col))
    )
    whole = Aoi(TRIANGLE).inside(GRID, ALL)
    assert np.array_equal(Aoi(TRIANGLE).inside(GRID, window), whole[window.rows, window.cols])


@pytest.mark.parametrize("factor", [1, 3])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_sides_through_centres_give_exact_sizes_and_extents(name, factor):
    grid = Grid(UTM, TRANSFORMS[name], 37, 53)
    fine = grid.refined(factor)
    corners = [(7.5, 4.5), (31.5, 4.5), (31.5, 16.5), (7.5, 16.5)]  # in pixels of the map
    area = Aoi(shapely.Polygon([fine.transform @ corner for corner in corners]))
    rows, cols = np.nonzero(area.inside(fine, Window(0, 0, fine.height, fine.width)))
    assert rows.size == 24 * 12
    assert area.extent(grid, factor=factor) == Window(
        rows.min() // factor,
        cols.min() // factor,
        rows.max() // factor - rows.min() // factor + 1,
        cols.max() // factor - cols.min() // factor + 1,
    )


def test_a_box_of_whole_pixels_is_those_pixels():
    inside = read_aoi("800060,849700,800300,849910", GRID).inside(GRID, ALL)
    assert np.argwhere(inside).min(axis=0).tolist() == [3, 2]
    assert np.argwhere(inside).max(axis=0).tolist() == [9, 9]
    assert inside.sum() == 7 * 8


def test_a_file_in_degrees_is_brought_to_the_scenes_crs(tmp_path):
    area = read_aoi(write_geojson(tmp_path / "a.geojson", in_degrees(TRIANGLE)), GRID)
    assert np.array_equal(area.inside(GRID, ALL), centres_inside(TRIANGLE, GRID))


def test_straight_lines_stay_what_they_are_in_their_own_crs(tmp_path):
    grid = Grid(CRS.from_epsg(32636), Affine(3000, 0, 200_000, 0, -3000, 7_000_000), 200, 200)
    box = shapely.box(28, 58, 37, 62)
    inside = read_aoi(write_geojson(tmp_path / "a.json", box), grid).inside(
        grid, Window(0, 0, 200, 200)
    )
    rows, cols = np.mgrid[:200, :200] + 0.5
    x, y = grid.transform @ (cols, rows)
    lon, lat = transform(grid.crs, "EPSG:4326", x.ravel(), y.ravel())
    expected = shapely.contains_xy(box, lon, lat).reshape(200, 200)
    assert (inside != expected).sum() <= 4  # of 4400 along the border


def test_an_older_file_may_name_its_crs(tmp_path):
    path = write_geojson(tmp_path / "a.json", TRIANGLE, crs="urn:ogc:def:crs:EPSG::32636")
    assert np.array_equal(read_aoi(path, GRID).inside(GRID, ALL), centres_inside(TRIANGLE, GRID))


def test_several_polygons_and_a_hole_are_one_area(tmp_path):
    ring = TRIANGLE.difference(TRIANGLE.centroid.buffer(100))
    other = shapely.box(801_300, 849_500, 801_500, 849_600)
    crossed = shapely.Polygon(
        [(800_000, 849_000), (800_200, 849_200), (800_200, 849_000), (800_000, 849_200)]
    )
    path = write_geojson(tmp_path / "a.json", ring, other, crossed, crs="EPSG:32636")
    expected = shapely.union_all([ring, other, shapely.make_valid(crossed)])
    assert np.array_equal(read_aoi(path, GRID).inside(GRID, ALL), centres_inside(expected, GRID))


def test_a_geopackage_gives_what_a_geojson_does(tmp_path):
    raw = pytest.importorskip("pyogrio.raw")
    path = tmp_path / "a.gpkg"
    raw.write(
        path,
        np.array([shapely.to_wkb(in_degrees(TRIANGLE))], object),
        [],
        [],
        geometry_type="Polygon",
        crs="EPSG:4326",
        driver="GPKG",
    )
    assert np.array_equal(read_aoi(path, GRID).inside(GRID, ALL), centres_inside(TRIANGLE, GRID))


def test_threads_do_not_undo_each_others_filters_of_warnings():
    area = read_aoi(TRIANGLE, GRID)
    expected = centres_inside(TRIANGLE, GRID)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: area.inside(GRID, ALL), range(400)):
            assert np.array_equal(found, expected)


def test_a_geopackage_may_hold_tables_besides(tmp_path):
    """A GeoPackage with QGIS styles: the layer of polygons is read, wherever it is."""
    raw = pytest.importorskip("pyogrio.raw")
    path = tmp_path / "a.gpkg"
    raw.write(path, None, [np.array([1])], ["note"], geometry_type=None, layer="b", driver="GPKG")
    wkb = np.array([shapely.to_wkb(TRIANGLE)], object)
    raw.write(
        path,
        wkb,
        [],
        [],
        geometry_type="Polygon",
        crs="EPSG:32636",
        layer="a",
        driver="GPKG",
        append=True,
    )
    assert np.array_equal(read_aoi(path, GRID).inside(GRID, ALL), centres_inside(TRIANGLE, GRID))


def test_a_scene_knows_what_is_wanted_and_reads_all(write_scene, reflectance):
    path = write_scene(reflectance)
    with open_scene(path, model_bands=BANDS, aoi="800060,849700,800300,849910") as scene:
        numbers, valid = scene.read(ALL)
        assert np.array_equal(numbers, reflectance)
        assert valid.all()
        assert scene.wanted(ALL).sum() == 56
        assert scene.wanted(Window(3, 2, 7, 8)).all()
        assert not scene.wanted(Window(10, 0, 20, 53)).any()
        assert pickle.loads(pickle.dumps(scene.header)) == scene.header
    with open_scene(path, model_bands=BANDS) as scene:
        assert scene.wanted(Window(3, 2, 7, 8)).all()


def nested(count):
    return '{"type":"GeometryCollection","geometries":[' * count + "]}" * count


def crossing(count):
    """A polygon that crosses itself in about count² / 4 points."""
    angles = np.arange(count) * 2.39996
    return shapely.Polygon(np.stack([35 + np.cos(angles), 8 + np.sin(angles)], axis=1))


@pytest.mark.parametrize("name", ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "epsg:32636"])
def test_a_box_may_name_its_crs(name):
    square = shapely.box(800_060, 849_700, 800_300, 849_910)
    bounds = square.bounds if "32636" in name else in_degrees(square).bounds
    inside = read_aoi(f"{name}:{','.join(map(repr, bounds))}", GRID).inside(GRID, ALL)
    expected = np.zeros((37, 53), bool)
    expected[3:10, 2:10] = True
    assert (inside & expected).sum() == 56
    assert inside.sum() <= 56 + 17  # degrees are turned by a fraction of one


def write_vector(path, polygon, driver, *, crs="EPSG:32636", layer=None):
    raw = pytest.importorskip("pyogrio.raw")
    wkb = np.array([shapely.to_wkb(polygon)], object)
    name = [np.array(["a"], object)]
    raw.write(
        path, wkb, name, ["name"], geometry_type="Polygon", crs=crs, driver=driver, layer=layer
    )
    return path


@pytest.mark.parametrize(
    ("suffix", "driver"),
    [
        (".fgb", "FlatGeobuf"),
        (".SHP", "ESRI Shapefile"),
        (".kml", "KML"),
        (".gml", "GML"),
        (".tab", "MapInfo File"),
    ],
)
def test_a_file_of_any_usual_format(tmp_path, suffix, driver):
    crs = "EPSG:4326" if driver in ("KML",) else "EPSG:32636"
    polygon = in_degrees(TRIANGLE) if crs == "EPSG:4326" else TRIANGLE
    path = write_vector(tmp_path / f"a{suffix.lower()}", polygon, driver, crs=crs)
    if suffix.isupper():
        for part in tmp_path.iterdir():
            part.rename(part.with_suffix(part.suffix.upper()))
        path = tmp_path / "a.SHP"
    found = read_aoi(path, GRID).inside(GRID, ALL)
    assert (found != centres_inside(TRIANGLE, GRID)).sum() <= 2  # some formats round


def test_a_shapefile_in_an_archive(tmp_path):
    write_vector(tmp_path / "a.shp", TRIANGLE, "ESRI Shapefile")
    path = tmp_path / "district.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in tmp_path.glob("a.*"):
            archive.write(part, f"folder/{part.name}")
        archive.writestr("readme.txt", "of the agency")
    assert np.array_equal(read_aoi(path, GRID).inside(GRID, ALL), centres_inside(TRIANGLE, GRID))


class TestRefused:
    def refused(self, aoi, grid=GRID) -> str:
        with pytest.raises(SceneError, match="`aoi`") as caught:
            read_aoi(aoi, grid)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("1,2,3", "3 numbers"),
            ("1,2,3,nan", "expected four finite numbers"),
            ("3,2,1,4", "min < max"),
            ("area", "expected a file"),
            ("area.xlsx", "expected a file"),
            ("area.shp", "no such file"),
            ("EPSG:1:1,2,3,4", "EPSG code is unknown"),
            ("/etc/hostname:1,2,3,4", "code of EPSG or OGC"),
            ("EPSG:4326:1,2,3", "3 numbers"),
            ("area.geojson", "no such file"),
            ("area.gpkg", "no such file"),
        ],
    )
    def test_what_is_neither_box_nor_file(self, text, reason):
        assert reason in self.refused(text)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"type": "Feature"}', "[" * 100_000])
    def test_no_geojson(self, tmp_path, text):
        path = tmp_path / "a.geojson"
        path.write_text(text)
        assert str(path) in self.refused(path)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("http://127.0.0.1:9/x", "code of EPSG or OGC"),
            ("/etc/hostname", "code of EPSG or OGC"),
            ("+proj=longlat +nadgrids=/etc/hostname", "code of EPSG or OGC"),
            ("OGC:\x1b]0;pwn\x07", "code of EPSG or OGC"),
            ("EPSG:1", "EPSG code is unknown"),
            ("EPSG:²", "code of EPSG or OGC"),
            (
                'GEOGCS["a",DATUM["d",SPHEROID["s",6378206,295],EXTENSION["PROJ4_GRIDS","/f"]]]',
                "names a file ('PROJ4_GRIDS')",
            ),
        ],
    )
    def test_only_codes_and_wkt_name_a_crs(self, tmp_path, capfd, name, reason):
        path = write_geojson(tmp_path / "a.json", TRIANGLE, crs=name)
        assert reason in self.refused(path)
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize(
        "text",
        [
            nested(90),
            nested(200_000),
            '{"type": "Polygon", "coordinates": [[[1e999, 0], [1, 0], [1, 1], [1e999, 0]]]}',
            '{"type": "Polygon", "coordinates": [[[1%s, 0], [1, 0], [1, 1]]]}' % ("0" * 400),
            '{"type": "Polygon", "coordinates": [[[1%s, 0], [1, 0], [1, 1]]]}' % ("0" * 5000),
            '{"type": "Polygon", "coordinates": [[["1", 0], [1, 0], [1, 1]]]}',
            '{"type": "Polygon", "coordinates": [[1, 0]]}',
            '{"type": "Polygon", "coordinates": [[[1, 0], [1, 1]]]}',
            '{"type": "MultiPolygon", "coordinates": [[]]}',
            '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": 7}]}',
            "\ud800",
        ],
        ids=lambda text: text[-60:][:40],
    )
    def test_what_a_stranger_may_write(self, tmp_path, text):
        path = tmp_path / "a.geojson"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        self.refused(path)

    def test_what_would_never_end_is_given_up(self, tmp_path, monkeypatch):
        monkeypatch.setattr("geosrseg.raster.header.aoi.MAX_SECONDS", 2)
        path = write_geojson(tmp_path / "a.json", crossing(20_000))
        assert re.search("not within 2 s|out of memory|MemoryError", self.refused(path))

    def test_too_many_points_are_counted(self, tmp_path, monkeypatch):
        monkeypatch.setattr("geosrseg.raster.header.aoi_file.MAX_POINTS", 300)
        circle = shapely.Point(0, 0).buffer(1, quad_segs=100)
        path = tmp_path / "a.json"
        path.write_text(shapely.to_geojson(shapely.set_precision(circle, 0.001)))
        assert "have 401 points, expected at most 300" in self.refused(path)

    @pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
    def test_a_pipe_is_not_waited_for(self, tmp_path, suffix):
        os.mkfifo(tmp_path / f"a{suffix}")
        assert "not a regular file" in self.refused(tmp_path / f"a{suffix}")

    @pytest.mark.parametrize(
        "text",
        [
            "<OGRVRTDataSource/>",
            "<OGRWFSDataSource><URL>http://127.0.0.1:9/w</URL></OGRWFSDataSource>",
            '{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}',
        ],
    )
    def test_only_a_geopackage_is_one(self, tmp_path, text):
        pytest.importorskip("pyogrio")
        (tmp_path / "a.gpkg").write_text(text)
        assert "is not a GeoPackage" in self.refused(tmp_path / "a.gpkg")

    def test_a_geopackage_computes_nothing(self, tmp_path):
        raw = pytest.importorskip("pyogrio.raw")
        path = tmp_path / "a.gpkg"
        wkb = np.array([shapely.to_wkb(TRIANGLE)], object)
        raw.write(path, wkb, [], [], geometry_type="Polygon", crs="EPSG:32636", driver="GPKG")
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE VIEW endless AS SELECT 1")
            database.commit()
        assert "'endless', which is not a plain table" in self.refused(path)

    def test_no_geopackage(self, tmp_path):
        pytest.importorskip("pyogrio")
        path = tmp_path / "a.gpkg"
        path.write_text("no database")
        assert "is not a GeoPackage" in self.refused(path)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.shp", "<OGRVRTDataSource><OGRVRTLayer name='a'/></OGRVRTDataSource>"),
            ("a.kml", "<OGRWFSDataSource><URL>http://127.0.0.1:9/w</URL></OGRWFSDataSource>"),
            ("a.fgb", '{"type": "Polygon", "coordinates": [[[35, 7], [36, 7], [36, 8], [35, 7]]]}'),
        ],
    )
    def test_a_suffix_means_one_driver(self, tmp_path, name, text):
        """GDAL would open each of these by its content."""
        pytest.importorskip("pyogrio")
        (tmp_path / name).write_text(text)
        assert "cannot be read as" in self.refused(tmp_path / name)

    def test_a_shapefile_without_its_crs(self, tmp_path):
        path = write_vector(tmp_path / "a.shp", TRIANGLE, "ESRI Shapefile")
        (tmp_path / "a.prj").unlink()
        assert "has no CRS: add one" in self.refused(path)

    @pytest.mark.parametrize(
        ("names", "reason"),
        [(("readme.txt",), "found none"), (("a.shp", "b/c.shp"), "found 'a.shp', 'b/c.shp'")],
    )
    def test_an_archive_holds_one_file(self, tmp_path, names, reason):
        pytest.importorskip("pyogrio")
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "x")
        assert reason in self.refused(tmp_path / "a.zip")

    def test_an_archive_that_grows(self, tmp_path, monkeypatch):
        pytest.importorskip("pyogrio")
        monkeypatch.setattr("geosrseg.raster.header.aoi_file.MAX_ARCHIVE_BYTES", 10)
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.fgb", bytes(11))
        with pytest.raises(SceneError, match="its files have more than 10 bytes"):
            area_of_file(packed.getvalue(), ".zip", "", "all")

    def test_lines_and_nothing(self, tmp_path):
        line = shapely.LineString([(35, 7), (36, 8)])
        assert "LineString" in self.refused(write_geojson(tmp_path / "a.json", line))
        assert "nothing" in self.refused(write_geojson(tmp_path / "b.json"))

    def test_no_pixel_is_inside(self, tmp_path):
        message = self.refused("900060,849700,900300,849910")
        assert "covers no pixel" in message
        assert "800000" in message
        assert "covers no pixel" in self.refused("800001,849701,800002,849702")
        far = write_geojson(tmp_path / "a.json", shapely.box(-80, -20, -79, -19))
        assert "covers no pixel" in self.refused(far)

    def test_a_file_needs_the_scenes_crs(self, tmp_path):
        path = write_geojson(tmp_path / "a.json", in_degrees(TRIANGLE))
        assert "no CRS" in self.refused(path, Grid(None, NORTH_UP, 37, 53))
        read_aoi("800060,849700,800300,849910", Grid(None, NORTH_UP, 37, 53))


def test_a_box_of_latitude_and_longitude_is_answered_with_the_other_order():
    grid = Grid(CRS.from_epsg(32636), Affine(30, 0, 825915, 0, -30, 840105), 80, 80)
    with pytest.raises(
        SceneError, match=r"with x first it is EPSG:4326:35\.955,7\.57,35\.97,7\.58"
    ):
        read_aoi("EPSG:4326:7.57,35.955,7.58,35.97", grid)


PAST_180 = Grid(CRS.from_epsg(4326), Affine(0.01, 0, 179.8, 0, -0.01, -16), 20, 40)
"""Longitudes from 179.8 to 180.2 degrees."""


@pytest.mark.parametrize(
    "parts",
    [
        [shapely.box(179.9, -16.1, 180, -16), shapely.box(-180, -16.1, -179.9, -16)],  # RFC 7946
        [shapely.box(179.9, -16.1, 180.1, -16)],
        [shapely.box(-180.1, -16.1, -179.9, -16)],
    ],
)
def test_an_area_across_180_degrees_is_mapped_on_both_sides(tmp_path, parts):
    area = read_aoi(write_geojson(tmp_path / "a.geojson", *parts), PAST_180)
    inside = area.inside(PAST_180, Window(0, 0, 20, 40))
    expected = np.zeros((20, 40), bool)
    expected[:10, 10:30] = True
    assert np.array_equal(inside, expected)
    assert area.extent(PAST_180) == Window(0, 10, 10, 20)


@pytest.mark.parametrize("box", ["179.9,-16.1,180.1,-16", "179.9,-16.1,-179.9,-16"])
def test_a_box_across_180_degrees(box):
    inside = read_aoi(box, PAST_180).inside(PAST_180, Window(0, 0, 20, 40))
    assert inside.sum() == 200


def test_an_area_cut_at_180_degrees_on_a_projected_scene(tmp_path):
    grid = Grid(CRS.from_epsg(32701), Affine(100, 0, 176_000, 0, -100, 8_172_000), 40, 60)
    xs, _ = transform(grid.crs, "EPSG:4326", [176_000, 182_000], [8_172_000, 8_168_000])
    assert xs[0] > 0 > xs[1]
    parts = [shapely.box(179, -17, 180, -16), shapely.box(-180, -17, -179, -16)]
    area = read_aoi(write_geojson(tmp_path / "a.geojson", *parts), grid)
    assert area.inside(grid, Window(0, 0, 40, 60)).mean() > 0.98


class TestObjects:
    """Areas given as Python objects."""

    def test_a_geometry_is_in_the_crs_of_the_scene(self):
        assert read_aoi(TRIANGLE, GRID).polygons.equals(TRIANGLE)

    def test_a_geodataframe_brings_its_crs(self):
        geopandas = pytest.importorskip("geopandas")
        table = geopandas.GeoDataFrame(geometry=[in_degrees(TRIANGLE)], crs="EPSG:4326")
        found = read_aoi(table, GRID).inside(GRID, ALL)
        assert np.array_equal(found, centres_inside(TRIANGLE, GRID))
        assert np.array_equal(read_aoi(table.geometry, GRID).inside(GRID, ALL), found)

    def test_what_is_neither_is_refused(self):
        geopandas = pytest.importorskip("geopandas")
        with pytest.raises(SceneError, match="is a dict: expected four numbers, a file"):
            read_aoi({"type": "Polygon"}, GRID)
        with pytest.raises(SceneError, match="it has no CRS"):
            read_aoi(geopandas.GeoSeries([TRIANGLE]), GRID)
        with pytest.raises(SceneError, match="Polygon covers no pixel"):
            read_aoi(shapely.box(0, 0, 1, 1), GRID)
