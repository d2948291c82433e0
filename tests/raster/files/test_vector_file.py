"""Untrusted vector files open no other file, reach no network and run no query."""

import json
import os
import sqlite3

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from geosrseg.core.text.geojson import plain_geojson, stated_crs
from geosrseg.errors import OutputError
from geosrseg.raster.files.vector_file import check_geopackage, read_vector_file
from tests.range_server import serve

pyogrio = pytest.importorskip("pyogrio")

pytestmark = pytest.mark.usefixtures("read_apart")

WGS84 = CRS.from_epsg(4326)
SHAPES = [shapely.box(0, 0, 1, 1), shapely.Point(2, 3), None]


def write(path, driver):
    """Three features with a column of each type."""
    pyogrio.raw.write(
        path,
        shapely.to_wkb(SHAPES),
        field_data=[
            np.array(["é", "", None], object),
            np.array([1, 2, 3]),
            np.array([0.5, np.nan, 1e300]),
        ],
        fields=["name", "number", "share"],
        driver=driver,
        geometry_type="Unknown",
        crs="EPSG:4326",
        **({"SPATIAL_INDEX": "NO"} if driver == "FlatGeobuf" else {}),
    )
    return path


@pytest.mark.parametrize(
    ("name", "driver"), [("a.gpkg", "GPKG"), ("a.geojson", "GeoJSON"), ("a.fgb", "FlatGeobuf")]
)
def test_an_honest_file_comes_whole(tmp_path, name, driver):
    found = read_vector_file(write(tmp_path / name, driver), WGS84)
    by_number = dict(zip(found.columns["number"].tolist(), found.geometries, strict=True))
    assert by_number[1].equals(SHAPES[0])
    assert by_number[2].equals(SHAPES[1])
    assert by_number.get(3) is None
    assert {name or None for name in found.columns["name"].tolist()} == {"é", None}


def test_a_shapefile_brings_what_belongs_to_it(tmp_path):
    gdal = pyogrio.raw.write
    gdal(
        tmp_path / "Z.shp", shapely.to_wkb([SHAPES[0]]), [np.array(["x"], object)], ["name"],
        driver="ESRI Shapefile", geometry_type="Polygon", crs="EPSG:4326",
    )  # fmt: skip
    found = read_vector_file(tmp_path / "Z.shp", CRS.from_epsg(3857))
    assert found.columns["name"].tolist() == ["x"]
    np.testing.assert_allclose(found.geometries[0].bounds[2], 111319.49, rtol=1e-6)
    (tmp_path / "Z.cpg").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "Z.cpg")
    with pytest.raises(OutputError, match="is not a regular file"):
        read_vector_file(tmp_path / "Z.shp", WGS84)


@pytest.mark.parametrize("begin", ["fgb", "fgb\n", "\0\0\x27\x0a", '{"type": "'])
def test_no_other_driver_opens_it(tmp_path, begin):
    with serve(tmp_path) as server:
        (tmp_path / "zones").write_text(
            f'{begin}<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/{server.url}/v'
            "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
        )
        with pytest.raises(OutputError, match="zones: cannot be read as points or polygons"):
            read_vector_file(tmp_path / "zones", WGS84)
        assert not server.requests


@pytest.mark.parametrize("place", ["document", "feature", "geometry"])
def test_an_address_in_a_geojson_is_not_asked(tmp_path, place):
    with serve(tmp_path) as server:
        crs = {"type": "link", "properties": {"href": f"{server.url}/crs", "type": "ogcwkt"}}
        geometry = {"type": "Point", "coordinates": [2, 3]}
        feature = {"type": "Feature", "properties": {}, "geometry": geometry}
        document = {"type": "FeatureCollection", "features": [feature]}
        {"document": document, "feature": feature, "geometry": geometry}[place]["crs"] = crs
        (tmp_path / "z.json").write_text(json.dumps(document))
        if place == "document":
            with pytest.raises(OutputError, match="its crs has no name"):
                read_vector_file(tmp_path / "z.json", WGS84)
        else:
            assert read_vector_file(tmp_path / "z.json", WGS84).geometries[0].wkt == "POINT (2 3)"
        assert not server.requests


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW v AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
        "SELECT * FROM c",
        "CREATE VIRTUAL TABLE v USING fts3(text)",
    ],
)
def test_a_database_that_computes_is_refused(tmp_path, sql):
    path = write(tmp_path / "a.gpkg", "GPKG")
    check_geopackage(path)
    database = sqlite3.connect(path)
    database.execute(sql)
    database.commit()
    database.close()
    with pytest.raises(ValueError, match="has 'v'"):
        check_geopackage(path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"type": "FeatureCollection"}', '{"features": []}'])
def test_what_is_no_geojson(text):
    with pytest.raises(ValueError, match="is not GeoJSON"):
        plain_geojson({"type": None} if text == "[]" else json.loads(text) | {"type": None})


def test_the_crs_of_a_geojson():
    assert stated_crs({"type": "FeatureCollection"}) is None
    assert stated_crs({"crs": None}) is None
    assert stated_crs({"crs": {"type": "name", "properties": {"name": "EPSG:32636"}}}) == (
        "EPSG:32636"
    )
    with pytest.raises(ValueError, match="no name"):
        stated_crs({"crs": {"type": "EPSG", "properties": {"code": 4326}}})
