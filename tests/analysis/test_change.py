"""What became of what, against masks; areas are those of each map."""

import csv
import json
from datetime import date

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio import warp
from rasterio.crs import CRS

from geosrseg.analysis.change import DOUBTFUL, change, change_legend
from geosrseg.analysis.change_files import change_text, write_change_report, write_change_table
from geosrseg.analysis.zonal_areas import zonal_areas
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.class_map import open_class_map
from tests.analysis.conftest import GRID, LEGEND
from tests.raster.maps.test_class_map import write_raster
from tests.tiny_maps import write_class_map

YEARS = (2001, 2011, 2021)


@pytest.fixture
def series():
    """(3, 60, 80) class ids of three dates, with nodata in the second."""
    labels = np.random.default_rng(5).choice(LEGEND.ids, (3, 60, 80)).astype(np.uint8)
    labels[1, :10] = 255
    return labels


@pytest.fixture
def maps(tmp_path, series):
    return [
        write_class_map(tmp_path / f"{year}-07-01.tif", labels, grid=GRID, legend=LEGEND)
        for year, labels in zip(YEARS, series, strict=True)
    ]


def test_pairs_are_counted_where_both_maps_show_a_class(maps, series):
    found = change(maps[:2])
    one, two = series[:2, 10:]
    expected = [[((one == a) & (two == b)).sum() for b in LEGEND.ids] for a in LEGEND.ids]
    (transition,) = found.transitions
    assert np.array_equal(transition.pixels, expected)
    assert transition.square_metres.sum() == pytest.approx(50 * 80 * 100, rel=2e-3)


def test_maps_are_sorted_by_date_and_the_whole_span_comes_last(maps):
    found = change([maps[2], maps[0], maps[1]])
    spans = [(item.before.year, item.after.year) for item in found.transitions]
    assert spans == [(2001, 2011), (2011, 2021), (2001, 2021)]


def test_areas_of_each_date_are_those_of_its_own_map(maps):
    found = change(maps)
    for path, areas in zip(maps, found.areas, strict=True):
        (alone,) = zonal_areas(path)
        assert areas == alone.areas


def test_the_change_is_a_class_map_of_pairs(tmp_path, maps, series):
    change([maps[0], maps[2]], tmp_path / "change.tif")
    opened = open_class_map(tmp_path / "change.tif")
    names = {item.id: item.name for item in opened.legend.classes}
    with rasterio.open(tmp_path / "change.tif") as dataset:
        codes = dataset.read(1)
    name = {item.id: item.name for item in LEGEND.classes}
    for row, col in ((0, 0), (30, 40), (59, 79)):
        before, after = series[0, row, col], series[2, row, col]
        expected = f"{name[before]} → {name[after]}"
        if before == after:
            expected = f"{name[before]}, unchanged"
        assert names[codes[row, col]] == expected


def test_a_change_that_is_less_than_half_certain_is_doubtful(tmp_path, maps, series):
    for path, percent in ((maps[0], 90), (maps[2], 50)):
        values = np.full((2, 60, 80), percent, np.uint8)
        values[0, :, 40:] = 95
        values[1] = 0
        write_raster(
            path.with_name(f"{path.stem}.confidence.tif"), values, nodata=255,
            crs=GRID.crs, transform=GRID.transform,
        )  # fmt: skip
    found = change([maps[0], maps[2]], tmp_path / "change.tif")
    with rasterio.open(tmp_path / "change.tif") as dataset:
        codes = dataset.read(1)
    changed = series[0] != series[2]
    doubtful = changed.copy()
    doubtful[:, 40:] = False  # .9 x .5 is below a half, .95 x .95 is not
    assert np.array_equal(codes == DOUBTFUL, doubtful)
    assert found.transitions[0].doubtful.sum() == doubtful.sum()


def test_doubt_is_known_of_the_pairs_that_have_confidence(tmp_path, maps):
    for path in maps[:2]:
        write_raster(
            path.with_name(f"{path.stem}.confidence.tif"), np.full((2, 60, 80), 30, np.uint8),
            nodata=255, crs=GRID.crs, transform=GRID.transform,
        )  # fmt: skip
    found = change(maps, tmp_path / "change.tif")
    first, second, whole = (item.doubtful for item in found.transitions)
    pixels = found.transitions[0].pixels
    assert first.sum() == pixels.sum() - pixels.trace() > 0
    assert (second, whole) == (None, None)
    with rasterio.open(tmp_path / "change.tif") as dataset:
        assert not (dataset.read(1) == DOUBTFUL).any()
    assert "share of noise in the change is unknown" in change_text(found)


def test_areas_of_a_series_of_eight_dates_are_those_of_each_map(tmp_path):
    """Maps of two UTM zones, two pixel sizes and shifted grids, of which half lack a class."""
    fewer, maps = Legend(LEGEND.classes[1:]), []
    for k in range(8):
        legend = fewer if k % 2 else LEGEND
        zone, size = (32637, 15) if k in (3, 6) else (32636, 10)
        (x,), (y,) = warp.transform("EPSG:32636", f"EPSG:{zone}", [500_000 + 7 * k], [4_000_000])
        transform = Affine(size, 0, x, 0, -size, y)
        labels = np.random.default_rng(k).choice([*legend.ids, 255], (60, 80)).astype(np.uint8)
        grid = Grid(CRS.from_epsg(zone), transform, 60, 80)
        path = tmp_path / f"{1985 + 5 * k}-07-01.tif"
        maps.append(write_class_map(path, labels, grid=grid, legend=legend))
    found = change(maps)
    write_change_table(tmp_path / "c.csv", found)
    with (tmp_path / "c.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "area"]
    written = {(row["before"], row["from"]): row for row in rows}
    assert len(written) == 8 * 3
    for path in maps:
        (alone,) = zonal_areas(path)
        own = {item.name: item for item in alone.areas.classes}
        for name in LEGEND.names:
            row = written[path.stem, name]
            if name not in own:
                assert (row["pixels"], float(row["hectares"])) == ("0", 0)
                continue
            assert int(row["pixels"]) == own[name].pixels > 0
            assert float(row["hectares"]) == pytest.approx(own[name].hectares, abs=6e-5)


def test_it_is_written_as_text_csv_json_and_page(tmp_path, maps):
    found = change(maps)
    assert "2001-07-01 (rows) to 2021-07-01 (columns), hectares" in change_text(found)
    write_change_table(tmp_path / "c.csv", found)
    with (tmp_path / "c.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["kind"] == "area" for row in rows) == 3 * 3
    assert sum(row["kind"] == "transition" for row in rows) == 3 * 9
    write_change_report(tmp_path / "c.json", found)
    assert json.loads((tmp_path / "c.json").read_text())["transitions"][0]["before"] == "2001-07-01"
    write_change_report(tmp_path / "c.html", found)
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 3
    assert "share of noise in the change is unknown" in page


def test_two_maps_of_one_date_are_refused(maps):
    with pytest.raises(OutputError, match="the same date"):
        change(maps[:2], dates=[date(2020, 1, 1)] * 2)


def test_maps_of_other_ground_are_refused(tmp_path, maps):
    from geosrseg.raster.files.grid import Grid

    away = Grid(GRID.crs, GRID.transform @ GRID.transform.translation(500, 500), 60, 80)
    other = write_class_map(
        tmp_path / "2030-01-01.tif", np.ones((60, 80), np.uint8), grid=away, legend=LEGEND
    )
    with pytest.raises(OutputError, match="no mapped ground in common"):
        change([maps[0], other])


def test_too_many_pairs_for_a_byte_are_refused():
    legend = Legend(tuple(LegendClass(k, f"c{k}", "#000000") for k in range(16)))
    with pytest.raises(OutputError, match="256 pairs"):
        change_legend(legend)
