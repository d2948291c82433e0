"""Against GDAL's polygons of the whole map, and shapely's rules for them."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import shapes
from shapely.geometry import shape

from geosrseg.core.legend import NODATA
from geosrseg.products.pixel_areas import PixelAreas
from geosrseg.products.polygons.map_polygons import MapPolygons, PolygonTracer
from tests.core.strategies import class_maps

Heights = st.lists(st.integers(1, 4), min_size=10, max_size=10)


def trace(labels, heights, *, confidence=None, pixel_areas=None) -> list[MapPolygons]:
    """The polygons of a map that is added in strips of these heights, in order."""
    tracer = PolygonTracer(labels.shape[1], pixel_areas)
    pieces, row = [], 0
    for height in heights:
        if row < len(labels):
            rows = slice(row, row + height)
            pieces.append(
                tracer.add(labels[rows], None if confidence is None else confidence[:, rows])
            )
            row += height
    return [*pieces, tracer.finish()]


def polygons_of(piece: MapPolygons) -> np.ndarray:
    """Polygons with the y axis upwards, as on a map."""
    rings = piece.rings
    offsets = (rings.ring_offsets, rings.polygon_offsets)
    vertices = rings.vertices * np.array([1.0, -1.0])
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, vertices, offsets)


def joined(pieces, name):
    return np.concatenate([getattr(piece, name) for piece in pieces])


@settings(max_examples=150)
@given(class_maps(), Heights)
def test_polygons_are_those_of_the_whole_map(labels, heights):
    pieces = trace(labels, heights)
    polygons = np.concatenate([polygons_of(piece) for piece in pieces])
    classes = joined(pieces, "classes")
    gdal = [
        (value, shapely.transform(shape(polygon), lambda xy: xy * [1, -1]))
        for polygon, value in shapes(labels, mask=labels != NODATA, connectivity=4)
    ]
    assert len(gdal) == len(polygons)
    for value, expected in gdal:
        assert any(shapely.equals(expected, polygons[classes == value]))


@settings(max_examples=150)
@given(class_maps(), Heights)
def test_polygons_are_valid_and_share_the_vertices_of_their_borders(labels, heights):
    polygons = np.concatenate([polygons_of(piece) for piece in trace(labels, heights)])
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)
    assert shapely.is_ccw(shapely.get_exterior_ring(polygons)).all()
    for polygon in polygons:
        assert not any(ring.is_ccw for ring in polygon.interiors)


@given(class_maps(), Heights, st.integers(0, 2**32 - 1))
def test_every_polygon_has_the_sums_of_its_pixels(labels, heights, seed):
    rng = np.random.default_rng(seed)
    confidence = rng.integers(0, 101, (2, *labels.shape)).astype(np.uint8)
    confidence[:, rng.random(labels.shape) < 0.1] = 255
    nodes = rng.uniform(1, 2, (2, 2))
    ends = np.array([0.0, 9.0])
    areas = PixelAreas(ends, ends, nodes, labels.shape[1])
    weights = np.stack([areas.row(row) for row in range(len(labels))])
    for piece in trace(labels, heights, confidence=confidence, pixel_areas=areas):
        for k, polygon in enumerate(polygons_of(piece)):
            inside = _inside(polygon, labels.shape)
            assert (labels[inside] == piece.classes[k]).all()
            assert piece.pixels[k] == inside.sum() == polygon.area
            assert piece.square_metres[k] == pytest.approx(weights[inside].sum())
            known = confidence[:, inside & (confidence[0] != 255)]
            means = known.mean(axis=1) if known.size else [np.nan] * 2
            assert [piece.confidence[k], piece.doubt[k]] == pytest.approx(means, nan_ok=True)


def _inside(polygon, size):
    rows, cols = np.indices(size)
    return shapely.contains_xy(polygon, cols + 0.5, -rows - 0.5)


@given(class_maps(), Heights)
def test_a_polygon_comes_with_the_strip_below_its_last_row(labels, heights):
    row = 0
    for height, piece in zip(heights, trace(labels, heights)[:-1], strict=False):
        row += height
        for polygon in polygons_of(piece):
            assert row - height <= -polygon.bounds[1] < row


def test_without_areas_and_confidence_they_are_not_known():
    (piece,) = trace(np.ones((1, 3), np.uint8), [])[-1:]
    assert len(piece) == 0
    _, piece = trace(np.ones((1, 3), np.uint8), [1])
    assert np.isnan([*piece.square_metres, *piece.confidence, *piece.doubt]).all()
    assert shapely.equals(polygons_of(piece)[0], shapely.box(0, -1, 3, 0))


def test_a_vertex_stands_where_others_meet_on_a_straight_side():
    _, piece = trace(np.array([[1, 1], [2, 5]], np.uint8), [2])
    upper = piece.rings.vertices[: piece.rings.ring_offsets[1]].tolist()
    assert [1, 1] in upper
