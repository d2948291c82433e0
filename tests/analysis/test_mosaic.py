"""Several maps as one: which wins, where pixels lie, and that nodata never wins."""

from datetime import date

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform

from geosrseg.analysis.mosaic import mosaic
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.class_map import CERTAINTY, open_class_map
from tests.analysis.conftest import GRID, LEGEND
from tests.raster.maps.test_class_map import write_raster
from tests.tiny_maps import write_class_map


def part(rows, cols, height=60, width=80):
    """A grid on the pixels of GRID."""
    return Grid(GRID.crs, GRID.transform @ Affine.translation(cols, rows), height, width)


def write(path, value, grid=GRID, *, hole=False, percent=(), legend=LEGEND):
    """A map of one class; `percent` are the bands of its confidence layer."""
    labels = np.full((grid.height, grid.width), value, np.uint8)
    if hole:
        labels[20:30, 20:30] = 255
    write_class_map(path, labels, grid=grid, legend=legend)
    if percent:
        write_raster(
            path.with_name(f"{path.stem}.confidence.tif"),
            np.stack([np.full_like(labels, value) for value in percent]),
            crs=grid.crs, transform=grid.transform, nodata=255,
        )  # fmt: skip
    return path


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read().squeeze()


def test_neighbours_lie_side_by_side(tmp_path):
    one = write(tmp_path / "a.tif", 1)
    two = write(tmp_path / "b.tif", 2, part(-10, 70))
    grid = mosaic([one, two], tmp_path / "m.tif")
    assert (grid.height, grid.width) == (70, 150)
    assert grid.transform == GRID.transform @ Affine.translation(0, -10)
    expected = np.full((70, 150), 255)
    expected[:60, 70:] = 2
    expected[10:, :80] = 1
    assert np.array_equal(read(tmp_path / "m.tif"), expected)
    assert open_class_map(tmp_path / "m.tif").legend == LEGEND


def test_nodata_never_wins(tmp_path):
    one, two = write(tmp_path / "a.tif", 1, hole=True), write(tmp_path / "b.tif", 2)
    mosaic([one, two], tmp_path / "m.tif")
    labels = read(tmp_path / "m.tif")
    assert (labels[20:30, 20:30] == 2).all()
    assert (labels == 1).sum() == labels.size - 100


def test_the_latest_wins_by_the_dates_in_the_names(tmp_path):
    old = write(tmp_path / "LC08_L2SP_204023_20140927_20201006_02_T1_classes.tif", 1)
    new = write(tmp_path / "HLS.L30.T36NYF.2021190T074521.v2.0.tif", 2)
    mosaic([old, new], tmp_path / "m.tif", rule="date")
    assert (read(tmp_path / "m.tif") == 2).all()


def test_dates_can_be_given(tmp_path):
    maps = [write(tmp_path / "a.tif", 1), write(tmp_path / "b.tif", 2)]
    with pytest.raises(OutputError, match="with `dates="):
        mosaic(maps, tmp_path / "m.tif", rule="date")
    mosaic(maps, tmp_path / "m.tif", rule="date", dates=[date(2020, 1, 1), date(2019, 1, 1)])
    assert (read(tmp_path / "m.tif") == 1).all()


def test_the_surest_wins_and_says_how_sure(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(60, 0), hole=True)
    two = write(tmp_path / "b.tif", 2, part(0, 40), percent=(80, 70))
    mosaic([one, two], tmp_path / "m.tif", rule="confidence")
    labels, (percent, doubt) = read(tmp_path / "m.tif"), read(tmp_path / "m.confidence.tif")
    assert (labels[:, 40:] == 2).all()
    assert (percent[:, 40:] == 80).all()
    assert (doubt[:, 40:] == 70).all()
    assert (labels[:20, :40] == 1).all()
    assert (doubt[:20, :40] == 0).all()
    for values in (labels, percent, doubt):
        assert (values[20:30, 20:30] == 255).all()
    with rasterio.open(tmp_path / "m.confidence.tif") as dataset:
        assert dataset.descriptions == ("confidence", "doubt")
        assert dataset.units == ("percent", "percent")
    assert (tmp_path / "m.confidence.qml").is_file()


def test_of_those_as_sure_the_one_less_in_doubt_wins_and_else_the_first(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(80, 50))
    two = write(tmp_path / "b.tif", 2, percent=(80, 20))
    three = write(tmp_path / "c.tif", 5, percent=(80, 20))
    mosaic([one, two, three], tmp_path / "m.tif", rule="confidence")
    assert (read(tmp_path / "m.tif") == 2).all()


def test_confidence_of_older_versions_is_read_as_it_was_meant(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(90,))
    two = write(tmp_path / "b.tif", 2, part(0, 40), percent=(128 + 80,))  # 80, and nodata is near
    mosaic([one, two], tmp_path / "m.tif", rule="confidence")
    labels, (percent, doubt) = read(tmp_path / "m.tif"), read(tmp_path / "m.confidence.tif")
    assert (labels[:, :80] == 1).all()
    assert (percent[:, 80:] == 80).all()
    assert np.array_equal(doubt, np.where(labels == 1, 0, 100))


def test_confidence_on_another_grid_is_refused(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(90, 0))
    write(tmp_path / "b.tif", 1, part(0, 0, width=40), percent=(90, 0))
    (tmp_path / "b.confidence.tif").replace(tmp_path / "a.confidence.tif")
    with pytest.raises(
        OutputError, match=r"a\.confidence\.tif: is not on the grid of the class map"
    ):
        mosaic([one], tmp_path / "m.tif", rule="confidence")


def test_a_style_of_somebody_s_own_stays(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(90, 0))
    (tmp_path / "m.confidence.qml").write_text("mine")
    with pytest.raises(OutputError, match=r"m\.confidence\.qml: exists"):
        mosaic([one], tmp_path / "m.tif", rule="confidence")
    assert not (tmp_path / "m.tif").exists()


def test_confidence_that_is_not_there_is_named_before_anything_is_written(tmp_path):
    maps = [write(tmp_path / "a.tif", 1, percent=(60, 0)), write(tmp_path / "b.tif", 2)]
    with pytest.raises(OutputError, match=r"b\.tif: there is no confidence layer"):
        mosaic(maps, tmp_path / "m.tif", rule="confidence")
    assert not list(tmp_path.glob("m*"))


def write_with_probabilities(path, grid, *, seed, legend=LEGEND):
    """A map whose classes are the likeliest ones, in squares of 5 pixels, with a hole."""
    random = np.random.default_rng(seed)
    small = random.dirichlet(np.ones(len(legend)), (grid.height // 5, grid.width // 5))
    shares = small.transpose(2, 0, 1).repeat(5, axis=1).repeat(5, axis=2)
    labels = legend.id_table()[shares.argmax(axis=0)]
    numbers = np.rint(shares * CERTAINTY).astype(np.uint8)
    labels[10:20, 15:40] = numbers[:, 10:20, 15:40] = 255
    write_class_map(path, labels, grid=grid, legend=legend)
    profile = {"driver": "GTiff", "dtype": "uint8", "nodata": 255, "count": len(legend)}
    with rasterio.open(
        path.with_name(f"{path.stem}.probabilities.tif"), "w", height=grid.height,
        width=grid.width, crs=grid.crs, transform=grid.transform, **profile,
    ) as dataset:  # fmt: skip
        dataset.write(numbers)
    return path, labels, numbers


def test_the_class_of_the_highest_mean_probability_wins(tmp_path, monkeypatch):
    """Against plain NumPy, with three maps of which one lacks a class, on one grid."""
    monkeypatch.setattr("geosrseg.analysis.mosaic_rules.MOST_NUMBERS", 5000)  # several pieces
    fewer = Legend(LEGEND.classes[1:])
    places = [(0, 0, LEGEND), (-20, 30, LEGEND), (10, 55, fewer)]
    sums, votes = np.zeros((3, 90, 135)), np.zeros((90, 135), int)
    single = np.full((90, 135), 255)
    maps = []
    for k, (row, col, legend) in enumerate(places):
        path, labels, numbers = write_with_probabilities(
            tmp_path / f"{k}.tif", part(row, col), seed=k, legend=legend
        )
        maps.append(path)
        known = labels != 255
        there = np.s_[row + 20 : row + 80, col : col + 80]
        sums[-len(legend) :, *there] += np.where(known, numbers, 0) / CERTAINTY
        votes[there] += known
        single[there][known] = labels[known]
    mosaic(maps, tmp_path / "m.tif", rule="probabilities")
    labels, (percent, doubt) = read(tmp_path / "m.tif"), read(tmp_path / "m.confidence.tif")
    assert (doubt == 255).all()
    assert {0, 1, 2, 3} == set(votes.ravel())
    assert np.array_equal(labels == 255, votes == 0)
    assert np.array_equal(percent == 255, votes == 0)
    assert np.array_equal(labels[votes == 1], single[votes == 1])
    several = votes > 1
    mean = sums[:, several] / votes[several]
    ordered = np.sort(mean, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-9  # NumPy's sum of floats may break a tie
    assert np.array_equal(labels[several][clear], LEGEND.id_table()[mean.argmax(axis=0)][clear])
    assert np.abs(percent[several] - 100 * ordered[-1]).max() <= 0.5 + 1e-6


def test_the_doubt_of_mean_probabilities_is_the_mean_doubt(tmp_path):
    maps, labels = [], []
    for k, (col, percent) in enumerate([(0, (90, 10)), (30, (70, 40)), (60, ())]):
        path, own, _ = write_with_probabilities(tmp_path / f"{k}.tif", part(0, col), seed=k)
        maps.append(path)
        labels.append(np.full((60, 140), 255, np.uint8))
        labels[k][:, col : col + 80] = own
        if percent:
            bands = np.where(own == 255, 255, np.array(percent)[:, None, None]).astype(np.uint8)
            write_raster(
                tmp_path / f"{k}.confidence.tif", bands, crs=GRID.crs,
                transform=part(0, col).transform,
            )  # fmt: skip
    mosaic(maps, tmp_path / "m.tif", rule="probabilities")
    one, two, three = (own != 255 for own in labels)
    expected = np.select([three, one & two, one, two], [255, 25, 10, 40], 255)
    assert np.array_equal(read(tmp_path / "m.confidence.tif")[1], expected)


def test_probabilities_of_two_utm_zones_lie_under_their_classes(tmp_path):
    """On the second map's ground alone, each square has the class that its map says."""
    first, _, _ = write_with_probabilities(tmp_path / "a.tif", GRID, seed=1)
    (x,), (y,) = transform("EPSG:32636", "EPSG:32637", [500_500], [4_000_000])
    away = Grid(CRS.from_epsg(32637), Affine(10, 0, x, 0, -10, y), 60, 80)
    second, own, shares = write_with_probabilities(tmp_path / "b.tif", away, seed=2)
    mosaic([first, second], tmp_path / "m.tif", rule="probabilities")
    rows, cols = np.indices((60, 80))[:, 2::5, 2::5].reshape(2, -1)
    points = transform(away.crs, GRID.crs, *(away.transform @ (cols + 0.5, rows + 0.5)))
    known = (own[rows, cols] != 255) & (np.array(points[0]) > 500_830)
    points = [point for point, kept in zip(zip(*points, strict=True), known, strict=True) if kept]
    with rasterio.open(tmp_path / "m.tif") as labels:
        found = np.concatenate(list(labels.sample(points)))
    with rasterio.open(tmp_path / "m.confidence.tif") as percent:
        sure = np.stack(list(percent.sample(points)))[:, 0]
    assert known.sum() > 50
    assert np.array_equal(found, own[rows, cols][known])
    best = shares[:, rows, cols].max(axis=0)[known] / CERTAINTY * 100
    assert np.abs(sure - best).max() <= 0.5 + 1e-6


def test_probabilities_that_are_not_there_are_named_before_anything_is_written(tmp_path):
    path, _, _ = write_with_probabilities(tmp_path / "a.tif", GRID, seed=1)
    with pytest.raises(OutputError, match=r"b\.tif: there is no layer of probabilities"):
        mosaic([path, write(tmp_path / "b.tif", 2)], tmp_path / "m.tif", rule="probabilities")
    other = write(tmp_path / "c.tif", 2, percent=(3,))
    (tmp_path / "c.confidence.tif").rename(tmp_path / "c.probabilities.tif")
    with pytest.raises(OutputError, match="has 1 band of uint8, expected uint8 and one band"):
        mosaic([path, other], tmp_path / "m.tif", rule="probabilities")
    with pytest.raises(OutputError, match="rule=mean"):
        mosaic([path], tmp_path / "m.tif", rule="mean")
    assert not list(tmp_path.glob("m*"))


def test_maps_of_two_utm_zones_meet_on_the_grid_that_is_named(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(60, 10))
    (x,), (y,) = transform("EPSG:32636", "EPSG:32637", [500_790], [4_000_000])
    two = write(
        tmp_path / "b.tif", 2, Grid(CRS.from_epsg(32637), Affine(10, 0, x, 0, -10, y), 60, 80),
        percent=(70, 20),
    )  # fmt: skip
    grid = mosaic([one, two], tmp_path / "m.tif", crs="EPSG:32636", res=20, rule="confidence")
    assert grid.crs == CRS.from_epsg(32636)
    assert grid.transform.a == 20
    assert grid.bounds[0] % 20 == 0
    labels = read(tmp_path / "m.tif")
    with rasterio.open(tmp_path / "m.tif") as dataset:
        row, col = dataset.index(500_400, 3_999_700)  # in the middle of the first map
    assert labels[row, col] == 1
    assert (labels == 2).sum() * 400 == pytest.approx(600 * 800, rel=0.1)
    percent, doubt = read(tmp_path / "m.confidence.tif")
    assert np.array_equal(percent, np.choose(labels % 3, [255, 60, 70]))  # 255 % 3 is 0
    assert np.array_equal(doubt, np.choose(labels % 3, [255, 10, 20]))


@pytest.mark.parametrize("shift", [0, 3])
def test_signed_bytes_without_nodata_are_taken(tmp_path, shift):
    """Their type cannot hold the 255 that stands for what lies outside a map."""
    values = np.full((20, 30), 2, np.int8)
    one, other = GRID.transform, GRID.transform @ Affine.translation(30 + shift / 10, 0)
    left = write_raster(tmp_path / "a.tif", values, crs=GRID.crs, transform=one)
    right = write_raster(tmp_path / "b.tif", values, crs=GRID.crs, transform=other)
    mosaic([left, right], tmp_path / "m.tif")
    assert (read(tmp_path / "m.tif")[:, :60] == 2).all()


FIJI = {
    "60S": Grid(CRS.from_epsg(32760), Affine(3000, 0, 700_000, 0, -3000, 8_100_000), 60, 80),
    "1S": Grid(CRS.from_epsg(32701), Affine(3000, 0, 200_000, 0, -3000, 8_100_000), 60, 80),
    "degrees": Grid(CRS.from_epsg(4326), Affine(0.03, 0, 177.7, 0, -0.03, -17), 60, 80),
}
"""Grids that cross 180°, all but the second: it starts east of it."""


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("60S", "1S"), {"crs": "EPSG:4326", "res": 0.03}),
        (("1S", "60S"), {"crs": "EPSG:4326", "res": 0.03}),
        (("60S", "1S"), {"crs": "EPSG:4326"}),
        (("degrees", "60S"), {}),
        (("degrees", "1S"), {}),
        (("60S", "degrees"), {}),
    ],
)
def test_maps_on_both_sides_of_180_degrees_meet_there(tmp_path, names, options):
    """Every pixel of the mosaic has the class of the map's pixel under its middle."""
    maps = {}
    for name in names:
        grid = FIJI[name]
        labels = np.random.default_rng(0).choice([1, 2], (grid.height, grid.width)).astype("uint8")
        write_class_map(tmp_path / f"{name}.tif", labels, grid=grid, legend=LEGEND)
        maps[name] = labels
    grid = mosaic([tmp_path / f"{name}.tif" for name in names], tmp_path / "m.tif", **options)
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    xs, ys = grid.transform @ (cols.ravel(), rows.ravel())
    expected = np.full(grid.height * grid.width, 255)
    for name in reversed(names):
        own = FIJI[name]
        points = transform(grid.crs, own.crs, xs, ys) if own.crs != grid.crs else (xs, ys)
        col, row = (np.floor(axis).astype(int) for axis in ~own.transform @ np.array(points))
        inside = (col >= 0) & (col < own.width) & (row >= 0) & (row < own.height)
        expected[inside] = maps[name][row[inside], col[inside]]
    found = read(tmp_path / "m.tif").ravel()
    assert grid.width < 200
    assert np.array_equal(found == 255, expected == 255)
    assert (found != expected).sum() <= 2  # of thousands; on the border of two pixels


def test_sidecars_of_an_older_confidence_layer_are_removed(tmp_path):
    one = write(tmp_path / "a.tif", 1, percent=(60, 10))
    mosaic([one], tmp_path / "m.tif", rule="confidence")
    stale = tmp_path / "m.confidence.tif.msk"
    stale.touch()
    mosaic([one], tmp_path / "m.tif", rule="confidence", overwrite=True)
    assert not stale.exists()


@pytest.mark.parametrize(("pixel", "shape"), [(0.4, (1, 1)), (0.2, (2, 2)), (0.1, (4, 4))])
def test_a_named_pixel_size_adds_no_empty_rows(tmp_path, pixel, shape):
    """Maps of 0.4 degrees: rounding must not open a further row."""
    place = Affine(0.1, 0, 10.0, 0, -0.1, 50.0)
    degrees = Grid(CRS.from_epsg(4326), place, 4, 4)
    path = write_class_map(
        tmp_path / "a.tif", np.ones((4, 4), np.uint8), grid=degrees, legend=LEGEND
    )
    mosaic([path], tmp_path / "m.tif", res=pixel)
    grid = open_class_map(tmp_path / "m.tif").grid
    assert (grid.height, grid.width) == shape


def test_a_pixel_larger_than_all_maps_is_one_pixel(tmp_path):
    grid = mosaic([write(tmp_path / "a.tif", 1)], tmp_path / "m.tif", res=1e9)
    assert (grid.height, grid.width) == (1, 1)


def test_a_map_is_not_replaced_by_the_mosaic_of_it(tmp_path):
    maps = [write(tmp_path / "a.tif", 1), write(tmp_path / "b.tif", 2)]
    with pytest.raises(OutputError, match=r"b\.tif: is read to make it: choose another name"):
        mosaic(maps, maps[1], overwrite=True)


def test_one_id_with_two_names_is_refused(tmp_path):
    other = Legend((LegendClass(1, "sea", "#0000ff"), LegendClass(2, "forest", "#00ff00")))
    maps = [write(tmp_path / "a.tif", 1), write(tmp_path / "b.tif", 1, legend=other)]
    with pytest.raises(OutputError, match="class 1 is 'sea' here and 'water' in"):
        mosaic(maps, tmp_path / "m.tif")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"crs": "EPSG:99999999"}, "is unknown"),
        ({"crs": "EPSG:4326", "res": 1e-9}, "larger `res`"),
        ({"res": -3.0}, "above 0"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(tmp_path, options, words):
    with pytest.raises(OutputError, match=words):
        mosaic([write(tmp_path / "a.tif", 1)], tmp_path / "m.tif", **options)
