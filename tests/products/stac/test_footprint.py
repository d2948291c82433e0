"""Footprints follow RFC 7946; checked with shapely."""

import pytest
import shapely
import shapely.geometry
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS

from geosrseg.products.stac.footprint import find_footprint
from geosrseg.raster.files.grid import Grid


def footprint(crs, transform, height=80, width=80):
    return find_footprint(Grid(CRS.from_string(crs), transform, height, width))


def check(found):
    shape = shapely.geometry.shape(found.geometry)
    assert shape.is_valid
    for part in shapely.get_parts(shape):
        assert part.exterior.is_ccw
        west, south, east, north = part.bounds
        assert -180 <= west < east <= 180
        assert -90 <= south < north <= 90
    return shape


def test_what_crosses_180_degrees_is_cut_there():
    found = footprint("EPSG:32701", Affine(300, 0, 172_000, 0, -300, 8_173_000))
    shape = check(found)
    assert found.geometry["type"] == "MultiPolygon"
    west, _, east, _ = found.bbox
    assert 179 < west <= 180
    assert -180 <= east < -179
    assert shape.bounds[0] == -180
    assert shape.bounds[2] == 180


@pytest.mark.parametrize(("crs", "pole"), [("EPSG:3031", -90), ("EPSG:3413", 90)])
@pytest.mark.parametrize("shift", [0, 700])
def test_what_holds_a_pole_runs_along_it(crs, pole, shift):
    found = footprint(crs, Affine(30, 0, -1200 + shift, 0, -30, 1200))
    shape = check(found)
    assert found.bbox[0] == -180
    assert found.bbox[2] == 180
    assert pole in found.bbox
    assert shape.covers(shapely.Point(10, pole * 0.9999999))
    assert 0.001 < shape.bounds[3] - shape.bounds[1] < 1


@pytest.mark.parametrize("left", [179.5, -180.5, 539.5])
def test_degrees_past_180(left):
    found = footprint("EPSG:4326", Affine(0.0125, 0, left, 0, -0.0125, 10))
    check(found)
    assert found.bbox == pytest.approx([179.5, 9, -179.5, 10])


def test_the_whole_earth():
    found = footprint("EPSG:4326", Affine(4.5, 0, -180, 0, -2.25, 90))
    assert found.bbox == [-180, -90, 180, 90]
    assert check(found).area == pytest.approx(360 * 180)


def test_what_ends_at_180_degrees_is_not_cut():
    found = footprint("EPSG:4326", Affine(0.0125, 0, 179, 0, -0.0125, 10))
    assert found.geometry["type"] == "Polygon"
    assert found.bbox == pytest.approx([179, 9, 180, 10])


@given(
    x=st.floats(200_000, 800_000),
    y=st.floats(100_000, 9_000_000),
    turn=st.floats(0, 360),
    flip=st.sampled_from([1, -1]),
    zone=st.sampled_from([1, 31, 60]),
)
def test_whatever_the_place_and_the_direction(x, y, turn, flip, zone):
    transform = Affine.translation(x, y) @ Affine.rotation(turn) @ Affine.scale(50, -50 * flip)
    check(footprint(f"EPSG:{32600 + zone}", transform))


def test_a_local_crs_has_none():
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    assert footprint(local, Affine(30, 0, 0, 0, -30, 0)) is None
