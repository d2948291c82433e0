"""A map against references of every kind, with scikit-learn and loops as witnesses."""

import json

import numpy as np
import pytest
import shapely
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from geosrseg.analysis.assess import assess
from geosrseg.analysis.assessment_files import text, write_assessment
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError, SceneWarning
from tests.analysis.conftest import GRID, LEGEND, write_polygons
from tests.raster.maps.test_class_map import write_raster
from tests.tiny_maps import write_class_map


@pytest.fixture
def reference(labels):
    """The labels with a fifth of the pixels changed, and a few unknown."""
    generator = np.random.default_rng(8)
    noisy = np.where(generator.random(labels.shape) < 0.2, generator.choice(LEGEND.ids), labels)
    noisy[labels == 255] = LEGEND.ids[0]
    noisy[:3] = 255
    return noisy.astype(np.uint8)


def centres(rows, cols):
    x, y = GRID.transform @ (cols + 0.5, rows + 0.5)
    return list(shapely.points(x, y))


def test_a_raster_agrees_with_scikit_learn(tmp_path, class_map, labels, reference):
    path = write_class_map(tmp_path / "reference.tif", reference, grid=GRID, legend=LEGEND)
    found = assess(class_map, path)
    kept = (labels != 255) & (reference != 255)
    expected = confusion_matrix(reference[kept], labels[kept], labels=LEGEND.ids)
    assert np.array_equal(found.confusion.counts, expected)
    assert found.confusion.kappa == pytest.approx(cohen_kappa_score(reference[kept], labels[kept]))
    assert sum(found.left_out.values()) + found.confusion.total == labels.size


def test_a_coarser_raster_is_looked_up_at_the_centres(tmp_path, class_map, labels):
    coarse = np.random.default_rng(4).choice(LEGEND.ids, (20, 27)).astype(np.uint8)
    transform = GRID.transform @ GRID.transform.scale(3)
    path = write_raster(tmp_path / "r.tif", coarse, nodata=255, transform=transform, crs=GRID.crs)
    found = assess(class_map, path)
    fine = coarse.repeat(3, axis=0).repeat(3, axis=1)[:60, :80]
    kept = labels != 255
    assert np.array_equal(
        found.confusion.counts, confusion_matrix(fine[kept], labels[kept], labels=LEGEND.ids)
    )


def test_names_count_before_ids(tmp_path, class_map, labels):
    swapped = Legend(
        (LegendClass(7, "Forest", "#1b7837"), LegendClass(8, "water", "#2166ac"),
         LegendClass(9, "cropland", "#e8c868"))
    )  # fmt: skip
    table = np.full(256, 255, np.uint8)
    table[[1, 2, 5]] = 8, 7, 9
    path = write_class_map(tmp_path / "r.tif", table[labels], grid=GRID, legend=swapped)
    assert assess(class_map, path).confusion.overall_accuracy == 1


def test_points_are_the_pixels_that_they_lie_in(tmp_path, class_map, labels):
    rows, cols = np.array([0, 10, 33, 59]), np.array([79, 20, 40, 5])
    names = {item.id: item.name for item in LEGEND.classes}
    seen = [names[value] for value in labels[rows, cols]]
    seen[0] = names[1] if seen[0] != names[1] else names[2]
    points = [*centres(rows, cols), shapely.Point(0, 0)]
    path = write_polygons(tmp_path / "p.gpkg", points, reference=[*seen, "forest"])
    found = assess(class_map, path, class_column="reference")
    assert (found.confusion.total, np.trace(found.confusion.counts)) == (4, 3)
    assert found.left_out["outside the map"] == 1


def test_points_without_an_interpretation_are_left_out(tmp_path, class_map):
    path = write_polygons(
        tmp_path / "p.gpkg", centres(np.array([9, 9]), np.array([9, 30])), seen=["", "forest"]
    )
    assert assess(class_map, path, class_column="seen").confusion.total == 1


def test_polygons_in_another_crs_count_the_centres_inside(tmp_path, class_map, labels):
    from rasterio.warp import transform_geom

    box = shapely.box(500_200, 3_999_600, 500_500, 3_999_900)  # rows 10 to 39, columns 20 to 49
    there = transform_geom("EPSG:32636", "EPSG:4326", shapely.segmentize(box, 10).__geo_interface__)
    polygon = shapely.geometry.shape(there)
    path = write_polygons(tmp_path / "p.fgb", [polygon], crs="EPSG:4326", id=[2])
    found = assess(class_map, path, class_column="id")
    assert found.confusion.total == 900
    assert found.confusion.counts[1].sum() == 900
    assert found.confusion.counts[1, 1] == (labels[10:40, 20:50] == 2).sum()


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        (None, ["x"], "`class_column`"),
        ("nothing", ["x"], "no column 'nothing', only seen"),
        ("seen", [""], "column 'seen' is empty: write the class of each feature"),
        ("seen", ["swamp"], "swamp is not a class .*`ignored=swamp`"),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path, class_map, column, values, words):
    path = write_polygons(tmp_path / "p.gpkg", centres(np.array([9]), np.array([9])), seen=values)
    with pytest.raises(OutputError, match=words):
        assess(class_map, path, class_column=column)


def test_ignored_classes_are_left_out(tmp_path, class_map):
    points = centres(np.array([9, 9]), np.array([9, 30]))
    path = write_polygons(tmp_path / "p.gpkg", points, seen=["swamp", "forest"])
    assert assess(class_map, path, class_column="seen", ignored=["swamp"]).confusion.total == 1


@pytest.mark.parametrize("ignored", ["water", "WATER", 1, "1"])
@pytest.mark.parametrize("column", ["name", "id"])
def test_a_class_of_the_map_is_left_out_by_name_or_id_whatever_the_reference_has(
    tmp_path, class_map, column, ignored
):
    points = centres(np.array([9, 9]), np.array([9, 30]))
    path = write_polygons(tmp_path / "p.gpkg", points, name=["water", "forest"], id=["1", "2"])
    assert assess(class_map, path, class_column=column, ignored=[ignored]).confusion.total == 1


@pytest.mark.parametrize("column", ["name", None])
def test_a_class_to_leave_out_that_nobody_has_is_named(tmp_path, class_map, column):
    points = centres(np.array([9]), np.array([30]))
    path = write_polygons(tmp_path / "p.gpkg", points, name=["forest"]) if column else class_map
    with pytest.warns(SceneWarning, match="`ignored=wather` has no effect: neither the map nor"):
        assess(class_map, path, class_column=column, ignored=["wather"])


@pytest.mark.parametrize("ignored", ["unknown", 0, "0"])
def test_what_is_ignored_in_a_raster_does_not_decide_how_classes_match(tmp_path, ignored):
    """Names match although the ids differ; the ignored class is in neither."""
    classes = LegendClass(1, "forest", "#000001"), LegendClass(2, "water", "#000002")
    others = (
        LegendClass(0, "unknown", "#000003"),
        LegendClass(1, "water", "#000002"),
        LegendClass(2, "forest", "#000001"),
    )
    labels = np.random.default_rng(0).integers(1, 3, (GRID.height, GRID.width), np.uint8)
    there = (3 - labels).astype(np.uint8)
    there[:5] = 0
    class_map = write_class_map(tmp_path / "m.tif", labels, grid=GRID, legend=Legend(classes))
    path = write_class_map(tmp_path / "r.tif", there, grid=GRID, legend=Legend(others))
    found = assess(class_map, path, ignored=[ignored]).confusion
    assert (found.overall_accuracy, found.total) == (1, labels[5:].size)


def test_a_class_that_both_have_is_ignored_by_its_id(tmp_path, class_map, reference):
    path = write_class_map(tmp_path / "r.tif", reference, grid=GRID, legend=LEGEND)
    item = LEGEND.classes[1]
    by_id, by_name = (assess(class_map, path, ignored=[word]) for word in (item.id, item.name))
    assert np.array_equal(by_id.confusion.counts, by_name.confusion.counts)
    assert not by_id.confusion.counts[1].any()


def test_it_is_written_as_text_json_csv_and_page(tmp_path, class_map):
    found = assess(class_map, class_map)
    assert "overall accuracy 100.0 %" in text(found)
    for suffix in ("json", "csv", "html"):
        write_assessment(tmp_path / f"a.{suffix}", found, title="<map>")
    assert json.loads((tmp_path / "a.json").read_text())["metrics"]["kappa"] == 1
    assert (tmp_path / "a.csv").read_text().startswith("class_id,class_name,reference")
    page = (tmp_path / "a.html").read_text()
    assert "&lt;map&gt;" in page
    assert "default-src 'none'" in page
