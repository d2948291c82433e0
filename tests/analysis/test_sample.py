"""Points drawn from a map: how many, where, and what they do not say."""

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.analysis.sample import allocate, sample
from geosrseg.errors import OutputError
from tests.analysis.conftest import GRID, LEGEND


def draw(class_map, output, **options):
    drawn = sample(class_map, output, **options)
    _, _, geometries, (_, reference) = pyogrio.raw.read(output)
    points = shapely.get_coordinates(shapely.from_wkb(geometries))
    cols, rows = ~GRID.transform @ tuple(points.T)
    return drawn, rows, cols, reference


def test_points_are_centres_of_distinct_pixels_of_each_class(tmp_path, class_map, labels):
    drawn, rows, cols, _ = draw(class_map, tmp_path / "p.gpkg", points=90, least=20)
    assert np.allclose(rows % 1, 0.5, atol=1e-6)
    values = labels[rows.astype(int), cols.astype(int)]
    assert {int(v): int((values == v).sum()) for v in LEGEND.ids} == drawn
    assert sum(drawn.values()) == 90
    assert min(drawn.values()) >= 20
    assert len(set(zip(rows, cols, strict=True))) == 90


def test_the_file_hides_the_class_and_its_order(tmp_path, class_map, labels):
    _, rows, cols, reference = draw(class_map, tmp_path / "p.gpkg", points=90)
    assert set(reference) == {""}
    values = labels[rows.astype(int), cols.astype(int)]
    assert (np.diff(values.astype(int)) != 0).sum() > 20  # not sorted by class


def test_a_seed_draws_the_same_points_again(tmp_path, class_map):
    _, *first = draw(class_map, tmp_path / "a.gpkg", points=30, seed=5)
    _, *again = draw(class_map, tmp_path / "b.gpkg", points=30, seed=5)
    _, *other = draw(class_map, tmp_path / "c.gpkg", points=30, seed=6)
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=8),
    st.integers(10, 400),
    st.integers(0, 60),
    st.sampled_from(["proportional", "equal"]),
)
def test_points_are_shared_out(pixels, points, least, allocation):
    counts = np.zeros(256, np.int64)
    counts[: len(pixels)] = pixels
    wanted = allocate(counts, points, allocation=allocation, least=least)
    assert (wanted <= counts).all()
    assert wanted.sum() <= points
    assert wanted.sum() == min(points, sum(pixels))
    floor = min(least, points // len(pixels))
    assert (wanted >= np.minimum(floor, counts)).all()


@pytest.mark.parametrize(
    ("pixels", "options", "expected"),
    [
        # rare classes get the fewest, the others share the rest by their pixels
        ([50, 30, 15, 4, 1], {"points": 500, "least": 50}, [211, 126, 63, 50, 50]),
        # the strata of Olofsson et al. (2014), section 5
        ([2, 1.5, 32, 64.5], {"points": 640, "least": 75}, [75, 75, 162, 328]),
        ([2e-4, 10, 50], {"points": 300, "allocation": "equal"}, [2, 149, 149]),
    ],
)
def test_shares_are_those_of_the_pixels_beyond_the_rare_classes(pixels, options, expected):
    counts = np.zeros(256, np.int64)
    counts[: len(pixels)] = np.array(pixels) * 10_000
    drawn = allocate(counts, **{"allocation": "proportional", "least": 50, **options})
    assert drawn[: len(pixels)].tolist() == expected


def test_fewer_points_than_classes_are_refused(tmp_path, class_map):
    with pytest.raises(OutputError, match="2 points for 3 classes"):
        sample(class_map, tmp_path / "p.gpkg", points=2)
