"""Whatever a stranger writes, its reader gives a value or its own error of one line."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosrseg.core.legend import Legend
from geosrseg.core.spec import ModelSpec
from geosrseg.core.text.json_text import MAX_DEPTH, parse_json
from geosrseg.core.text.numerals import finite, parse_integer, parse_number, whole
from geosrseg.errors import ModelError, SceneError
from geosrseg.raster.files.crs_text import read_crs
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.aoi_file import area_of_file
from geosrseg.raster.landsat.mtl import parse_mtl
from geosrseg.raster.landsat.mtl_values import LEVEL_2_SCALE, grid_of_corners
from tests.tiny_models import make_spec


def check(error: Exception) -> None:
    """One line, however much was written."""
    assert "\n" not in str(error)
    assert len(str(error)) < 1000


EXAMPLES = settings(max_examples=60)

ODD_NUMBERS = st.sampled_from(
    ["inf", "nan", "-inf", "²", "٣", "1_0", "9" * 5000, "1e999", "", " ", "0x10", "1e-999", "-0"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ODD_NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 5_000,
        "1" * 5_000,
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        b"\xff",
        "",
        "nul",
    ],
)
def test_json_that_is_none(text):
    with pytest.raises(ValueError):  # noqa: PT011 - and nothing else
        parse_json(text)


@EXAMPLES
@given(VALUES)
def test_json_gives_what_was_written(value):
    text = json.dumps(value)
    assert json.dumps(parse_json(text)) == text


@EXAMPLES
@given(st.text() | ODD_NUMBERS)
def test_numerals_are_finite_numbers(text):
    for parse in (parse_number, parse_integer):
        try:
            assert abs(parse(text)) < float("inf")
            assert text.strip().isascii()
        except ValueError as error:
            check(error)


@EXAMPLES
@given(VALUES)
def test_numbers_of_json_are_finite(value):
    for read in (finite, whole):
        try:
            assert abs(read(value)) < float("inf")
        except ValueError as error:
            check(error)


@EXAMPLES
@given(st.dictionaries(st.sampled_from(list(json.loads(make_spec().to_json()))), VALUES))
def test_model_metadata(changes):
    text = json.dumps({**json.loads(make_spec().to_json()), **changes})
    try:
        spec = ModelSpec.from_json(text)
    except ModelError as error:
        check(error)
    else:
        assert ModelSpec.from_json(spec.to_json()).to_json() == spec.to_json()


@EXAMPLES
@given(st.lists(st.dictionaries(st.sampled_from(["id", "name", "colour"]), VALUES), max_size=3))
def test_legends(items):
    with suppress(ValueError):
        Legend.from_json(items)


ODL = """GROUP = LANDSAT_METADATA_FILE
GROUP = PROJECTION_ATTRIBUTES
{}
END_GROUP = PROJECTION_ATTRIBUTES
END_GROUP = LANDSAT_METADATA_FILE
END
"""
KEYS = [
    "MAP_PROJECTION", "DATUM", "UTM_ZONE", "GRID_CELL_SIZE_REFLECTIVE", "REFLECTIVE_LINES",
    "REFLECTIVE_SAMPLES",
    *(f"CORNER_{c}_PROJECTION_{a}_PRODUCT" for c in ("UL", "LR") for a in "XY"),
]  # fmt: skip
HONEST = {
    "MAP_PROJECTION": "UTM", "DATUM": "WGS84", "UTM_ZONE": "36", "GRID_CELL_SIZE_REFLECTIVE": "30",
    "REFLECTIVE_LINES": "11", "REFLECTIVE_SAMPLES": "21",
    "CORNER_UL_PROJECTION_X_PRODUCT": "300000", "CORNER_UL_PROJECTION_Y_PRODUCT": "6000300",
    "CORNER_LR_PROJECTION_X_PRODUCT": "300600", "CORNER_LR_PROJECTION_Y_PRODUCT": "6000000",
}  # fmt: skip


@EXAMPLES
@given(st.dictionaries(st.sampled_from(KEYS), ODD_NUMBERS | st.text(), max_size=3))
def test_mtl(changes):
    lines = "\n".join(f"{key} = {value}" for key, value in {**HONEST, **changes}.items())
    try:
        grid = grid_of_corners(
            parse_mtl(ODL.format(lines).encode("utf-8", "replace"), suffix=".txt")
        )
    except SceneError as error:
        check(error)
    else:
        assert grid is None or isinstance(grid, Grid)


def test_an_honest_mtl():
    lines = "\n".join(f"{key} = {value}" for key, value in HONEST.items())
    grid = grid_of_corners(parse_mtl(ODL.format(lines).encode(), suffix=".txt"))
    assert grid is not None
    assert (grid.height, grid.width) == (11, 21)


@EXAMPLES
@given(st.binary() | st.text().map(str.encode), st.sampled_from([".txt", ".json", ".xml"]))
def test_mtl_of_any_bytes(content, suffix):
    with suppress(SceneError):
        parse_mtl(content, suffix=suffix)


UTM_36 = "EPSG:32636"


@EXAMPLES
@given(
    st.sampled_from(
        ["Polygon", "MultiPolygon", "Feature", "FeatureCollection", "GeometryCollection"]
    ),
    VALUES,
    st.sampled_from(
        [None, "EPSG:4326", "http://127.0.0.1:9/x", "/f", "urn:ogc:def:crs:OGC:1.3:CRS84"]
    ),
)
def test_areas_of_interest(kind, value, crs):
    document = {
        "type": kind,
        "coordinates": value,
        "features": value,
        "geometries": value,
        "geometry": value,
    }
    if crs is not None:
        document["crs"] = {"type": "name", "properties": {"name": crs}}
    with suppress(SceneError):
        area_of_file(json.dumps(document).encode(), ".json", read_crs(UTM_36).to_wkt())


@EXAMPLES
@given(
    st.text() | st.sampled_from(["EPSG:" + "9" * 500, "EPSG:-1", "OGC:CRS", "PROJCS[", "GEOGCS[]"])
)
def test_names_of_a_crs(text):
    try:
        read_crs(text)
    except ValueError as error:
        check(error)


def test_scale_is_untouched():
    assert parse_number("2.75E-05") == LEVEL_2_SCALE
