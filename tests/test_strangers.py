"""Whatever a stranger writes, its reader gives a value or its own error of one line."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geosrseg
from geosrseg.batch.open_archive import open_archive
from geosrseg.batch.work import Task, read_work
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.core.normalize import Normalization
from geosrseg.core.spec import ModelSpec
from geosrseg.core.text.json_text import MAX_DEPTH, parse_json
from geosrseg.core.text.numerals import finite, parse_integer, parse_number, whole
from geosrseg.datasets.card.card import read_card
from geosrseg.errors import DatasetError, ModelError, OutputError, RunError, SceneError, WorkError
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.aoi_file import area_of_file
from geosrseg.raster.landsat.mtl import parse_mtl
from geosrseg.raster.landsat.mtl_values import LEVEL_2_SCALE, grid_of_corners
from geosrseg.raster.maps.legend_file import read_legend_file
from geosrseg.raster.maps.manifest import MANIFEST
from geosrseg.raster.maps.row_store import PUBLISHING, store_folder
from geosrseg.raster.maps.stopped_runs import find_stopped_run
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.crs_text import read_crs
from geosrseg.training.run_folder.run import Run
from geosrseg.training.run_folder.run_config import RunConfig
from tests.tiny_datasets import CARD
from tests.tiny_models import make_spec

PACKAGE = Path(geosrseg.__file__).parent


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


ITEM = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "LC09_L2SP_204023_20220317_20230422_02_T1_SR",
    "properties": {"proj:code": "EPSG:32630", "proj:shape": [9, 9]},
    "assets": {"red": {"href": "red.TIF", "raster:bands": [{"scale": 2.75e-05}]}},
}


@EXAMPLES
@given(st.dictionaries(st.sampled_from(list(ITEM)), VALUES, min_size=1), VALUES)
def test_stac_items(tmp_path_factory, changes, asset):
    path = tmp_path_factory.mktemp("item") / "item.json"
    item = {**ITEM, **changes}
    if "assets" not in changes:
        item["assets"] = {"red": asset}
    path.write_text(json.dumps(item))
    with pytest.raises(SceneError) as refused, open_scene(path, model_bands=("red",)):
        pass
    check(refused.value)


def toml(value):
    """A value as TOML writes it; text for what TOML has no word for."""
    match value:
        case bool() | int():
            return json.dumps(value)
        case float():
            return str(value)  # inf and nan too
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in value.items())}}}"
        case _:
            return json.dumps(str(value))


CARD_LINES = [number for number, line in enumerate(CARD.splitlines()) if " = " in line]


@EXAMPLES
@given(st.sampled_from(CARD_LINES), VALUES)
def test_dataset_cards(tmp_path_factory, number, value):
    folder = tmp_path_factory.mktemp("card")
    lines = CARD.splitlines()
    lines[number] = f"{lines[number].partition(' = ')[0]} = {toml(value)}"
    (folder / "card.toml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    with pytest.raises(DatasetError) as refused:  # the files, at the latest: there are none
        read_card(folder / "card.toml", data=folder)
    check(refused.value)


@EXAMPLES
@given(VALUES, VALUES, st.sampled_from(["ignored", "name", "7"]))
def test_tables_of_classes(tmp_path_factory, first, second, key):
    path = tmp_path_factory.mktemp("legend") / "legend.toml"
    entry = f'[[classes]]\nid = 1\nname = {toml(second)}\ncolour = "#222222"\n'
    path.write_text(f"{key} = {toml(first)}\n{entry}", encoding="utf-8", errors="replace")
    try:
        read_legend_file(path)
    except OutputError as error:
        check(error)


@EXAMPLES
@given(st.sampled_from([MANIFEST, PUBLISHING]), VALUES | st.binary())
def test_stores_of_stopped_runs(tmp_path_factory, name, value):
    output = tmp_path_factory.mktemp("store") / "map.tif"
    store = store_folder(output)
    store.mkdir()
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    (store / name).write_bytes(content)
    try:
        find_stopped_run(output)
    except OutputError as error:
        check(error)
    assert (store / name).read_bytes() == content


RUN_RECORD = json.loads(
    RunConfig(
        dataset="squares",
        source="this test",
        licence="CC0",
        bands=("red", "nir"),
        legend=Legend((LegendClass(1, "dark", "#222222"), LegendClass(4, "bright", "#eeeeee"))),
        normalization=Normalization((0.0, 0.0), (0.5, 1.0), (0.2, 0.2)),
        network=NetworkConfig(protocol="lr", bands=2, classes=2, upscale_factor=2),
        recipe=Recipe(),
    ).to_json()
)


@EXAMPLES
@given(st.sampled_from(list(RUN_RECORD)), VALUES, st.data())
def test_records_of_runs(tmp_path_factory, key, value, data):
    record = json.loads(json.dumps(RUN_RECORD))
    if isinstance(record[key], dict) and data.draw(st.booleans()):
        record[key][data.draw(st.sampled_from(list(record[key])))] = value
    else:
        record[key] = value
    run = Run(tmp_path_factory.mktemp("run"))
    run.config_file.write_text(json.dumps(record))
    try:
        run.config()
    except RunError as error:
        check(error)


TASK = Task(
    scene="/in/a.tif", output="/out/a.tif", options={}, model="tiny", sha256="0" * 64,
    device="cpu", precision="fp32", version="1",
).to_json()  # fmt: skip


@EXAMPLES
@given(st.dictionaries(st.sampled_from(list(TASK)), VALUES, min_size=1) | st.text())
def test_lines_of_a_work_file(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("work") / "work.jsonl"
    line = changes if isinstance(changes, str) else json.dumps({**TASK, **changes})
    path.write_text(line, encoding="utf-8", errors="replace")
    try:
        read_work(path)
    except WorkError as error:
        check(error)


def test_scale_is_untouched():
    assert parse_number("2.75E-05") == LEVEL_2_SCALE


@pytest.mark.parametrize("page", sorted(PACKAGE.rglob("*.html*")), ids=lambda path: path.name)
def test_every_page_loads_nothing_from_elsewhere(page):
    assert "default-src 'none'" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("bucket", ["2130706433:18484", "127.0.0.1", "user@host", "a..b", "x?y"])
def test_a_host_is_no_bucket_for_maps(bucket):
    pytest.importorskip("obstore")
    with pytest.raises(OutputError, match="is not an address"):
        open_archive(f"s3://{bucket}/map.tif")
