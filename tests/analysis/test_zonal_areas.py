"""Areas per zone, against masks and the area of the whole."""

import csv

import numpy as np
import pytest
import shapely

from geosrseg.analysis.zonal_areas import write_zonal_areas, zonal_areas
from geosrseg.errors import OutputError
from geosrseg.products.ground_area import pixel_areas
from tests.analysis.conftest import GRID, LEGEND, write_polygons

WEST = shapely.box(499_900, 3_999_300, 500_400, 4_000_100)  # columns 0 to 39, and beyond the map
EAST = shapely.box(500_400, 3_999_300, 500_900, 4_000_100)


@pytest.fixture
def zones(tmp_path):
    return write_polygons(tmp_path / "zones.gpkg", [WEST, EAST], name=["west", "east"])


def test_the_whole_map_is_one_zone(class_map, labels):
    (zone,) = zonal_areas(class_map)
    ground = pixel_areas(GRID)
    rows = np.stack([ground.row(k) for k in range(GRID.height)])
    for item in zone.areas.classes:
        assert item.pixels == (labels == item.id).sum()
        assert item.square_metres == pytest.approx(rows[labels == item.id].sum())
    assert zone.areas.nodata_pixels == (labels == 255).sum()


def test_each_zone_counts_the_centres_inside(class_map, zones, labels):
    west, east = zonal_areas(class_map, zones=zones, zone_column="name")
    assert (west.zone, east.zone) == ("west", "east")
    for zone, part in ((west, labels[:, :40]), (east, labels[:, 40:])):
        assert [item.pixels for item in zone.areas.classes] == [
            int((part == value).sum()) for value in LEGEND.ids
        ]
    (whole,) = zonal_areas(class_map)
    parts = west.areas.square_metres + east.areas.square_metres
    assert parts == pytest.approx(whole.areas.square_metres)


def ragged(rng):
    """A star, some with a hole and some in two parts."""
    x, y = rng.uniform(500_100, 500_700), rng.uniform(3_999_500, 3_999_900)
    angles, radii = np.sort(rng.uniform(0, 2 * np.pi, 15)), rng.uniform(20, 300, 15)
    star = shapely.Polygon(np.c_[x + radii * np.cos(angles), y + radii * np.sin(angles)]).buffer(0)
    parts = [star.difference(shapely.Point(x, y).buffer(rng.uniform(5, 60)))]
    return shapely.union_all([*parts, shapely.box(x + 200, y, x + 233, y + 77)])


def test_ragged_zones_agree_with_shapely_and_a_geodesic(tmp_path, class_map, labels):
    """Centres inside by shapely, pixels measured as polygons on the ellipsoid by PROJ."""
    rng = np.random.default_rng(11)
    shapes = [shapely.MultiPolygon(shapely.get_parts(ragged(rng)).tolist()) for _ in range(20)]
    path = write_polygons(tmp_path / "z.gpkg", shapes, name=[f"z{k}" for k in range(20)])
    transform, (rows, cols) = GRID.transform, np.indices(labels.shape)
    x, y = transform @ (cols + 0.5, rows + 0.5)
    square_metres = geodesic_areas(rows, cols)
    for shape, zone in zip(shapes, zonal_areas(class_map, zones=path), strict=True):
        inside = shapely.contains_xy(shape, x, y)
        assert inside.any()
        for item in zone.areas.classes:
            held = inside & (labels == item.id)
            assert item.pixels == held.sum()
            assert item.square_metres == pytest.approx(square_metres[held].sum(), rel=1e-5)
        assert zone.areas.nodata_pixels == (inside & (labels == 255)).sum()


def geodesic_areas(rows, cols):
    pyproj = pytest.importorskip("pyproj")
    to_lonlat = pyproj.Transformer.from_crs(32636, 4326, always_xy=True)
    corners = [
        to_lonlat.transform(*(GRID.transform @ (cols + right, rows + down)))
        for right, down in ((0, 0), (0, 1), (1, 1), (1, 0))
    ]
    geod = pyproj.Geod(ellps="WGS84")
    areas = np.empty(rows.shape)
    for at in np.ndindex(rows.shape):
        lon, lat = zip(*((x[at], y[at]) for x, y in corners), strict=True)
        areas[at] = abs(geod.polygon_area_perimeter(lon, lat)[0])
    return areas


def test_zones_without_a_name_are_numbered(class_map, zones):
    assert [zone.zone for zone in zonal_areas(class_map, zones=zones)] == ["1", "2"]


def test_whole_numbers_with_gaps_name_zones_as_they_are(tmp_path, class_map):
    box = shapely.box(500_100, 3_999_700, 500_200, 3_999_800)
    path = write_polygons(tmp_path / "z.gpkg", [box, box, box], id=[7.0, float("nan"), 2.5])
    found = zonal_areas(class_map, zones=path, zone_column="id")
    assert [zone.zone for zone in found] == ["7", "", "2.5"]


def test_the_csv_has_a_row_per_class_and_what_was_not_mapped(tmp_path, class_map, zones, labels):
    write_zonal_areas(tmp_path / "a.csv", zonal_areas(class_map, zones=zones, zone_column="name"))
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (len(LEGEND) + 2)
    assert rows[3]["class_name"] == "not mapped"
    assert int(rows[3]["pixels"]) == (labels == 255).sum()
    percents = [float(row["percent"]) for row in rows[:3]]
    assert sum(percents) == pytest.approx(100, abs=0.01)


def test_zones_beside_the_map_are_refused(tmp_path, class_map):
    away = write_polygons(tmp_path / "z.gpkg", [shapely.box(0, 0, 10, 10)], name=["nowhere"])
    with pytest.raises(OutputError, match="no polygon contains a pixel"):
        zonal_areas(class_map, zones=away)


def test_points_are_no_zones(tmp_path, class_map):
    path = write_polygons(tmp_path / "z.gpkg", [shapely.Point(0, 0)], name=["x"])
    with pytest.raises(OutputError, match="holds Point, expected Polygon"):
        zonal_areas(class_map, zones=path)
