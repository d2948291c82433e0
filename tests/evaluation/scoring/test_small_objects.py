import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.evaluation.scoring import small_objects
from geosrseg.evaluation.scoring.small_objects import find_small_objects

CLASSES = 2
references = hnp.arrays(np.uint8, (9, 8), elements=st.sampled_from([0, 1, NODATA]))


def flood(reference):
    """Every object by a naive flood fill: class, pixels."""
    seen, objects = set(), []
    for start in np.ndindex(reference.shape):
        label = reference[start]
        if start in seen or label == NODATA:
            continue
        seen.add(start)
        stack, pixels = [start], []
        while stack:
            row, col = stack.pop()
            pixels.append((row, col))
            for r, c in np.ndindex(3, 3):
                near = (row + r - 1, col + c - 1)
                inside = all(0 <= k < n for k, n in zip(near, reference.shape, strict=True))
                if inside and near not in seen and reference[near] == label:
                    seen.add(near)
                    stack.append(near)
        objects.append((int(label), pixels))
    return objects


def on_the_edge(pixels, shape):
    return any(k in (0, n - 1) for pixel in pixels for k, n in zip(pixel, shape, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("arrays")


@settings(max_examples=60)
@given(reference=references, strip=st.sampled_from([2, 5, 100]))
def test_they_are_those_of_a_flood_fill_whatever_the_strips(folder, reference, strip):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_objects, "STRIP", strip)
        found = find_small_objects(reference, classes=CLASSES, limit=6, folder=folder)
    expected = {
        (label, frozenset(pixels))
        for label, pixels in flood(reference)
        if len(pixels) < 6 and not on_the_edge(pixels, reference.shape)
    }
    objects = range(1, len(found.label))
    places = {number: np.argwhere(found.numbers == number) for number in objects}
    assert expected == {
        (int(found.label[number]), frozenset(map(tuple, places[number].tolist())))
        for number in objects
    }
    for number in objects:
        assert found.size[number] == len(places[number])
        assert found.first[number].tolist() == places[number][0].tolist()


def test_an_object_is_small_below_the_limit(tmp_path):
    reference = np.zeros((7, 7), np.uint8)
    reference[2:4, 2:4] = 1
    for limit, count in ((4, 0), (5, 1)):
        found = find_small_objects(reference, classes=CLASSES, limit=limit, folder=tmp_path)
        assert len(found.label) - 1 == count


def test_marked_pixels_are_counted_by_object(tmp_path):
    reference = np.zeros((7, 9), np.uint8)
    reference[2, 2:4], reference[4, 5:8] = 1, 1
    found = find_small_objects(reference, classes=CLASSES, limit=5, folder=tmp_path)
    left = np.zeros((5, 8), np.bool_)
    left[:, :6] = True
    assert found.count_pixels(Window(1, 1, 5, 8), left).tolist() == [0, 2, 2]
