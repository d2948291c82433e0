import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label

from geosrseg.core.legend import NODATA
from geosrseg.products.polygons.components import join, label_components
from tests.core.strategies import class_maps


@given(class_maps())
def test_components_are_those_of_scipy_class_by_class(labels):
    found = label_components(labels)
    assert np.array_equal(found.ids == 0, labels == NODATA)
    for value in np.unique(labels[labels != NODATA]):
        expected, count = label(labels == value)
        numbers = {frozenset(found.ids[expected == k + 1].tolist()) for k in range(count)}
        assert sorted(map(len, numbers)) == [1] * count  # one number for each, and another one
        assert {found.classes[next(iter(ids)) - 1] for ids in numbers} == {value}
    assert len(found) == found.ids.max(initial=0)


@given(class_maps(), st.integers(0, 2**32 - 1))
def test_values_are_summed_by_component(labels, seed):
    values = np.random.default_rng(seed).integers(0, 100, labels.shape).astype(np.uint8)
    found = label_components(labels)
    for k, (pixels, total) in enumerate(zip(found.sum(), found.sum(values), strict=True)):
        assert pixels == (found.ids == k + 1).sum()
        assert total == values[found.ids == k + 1].sum()


def test_what_hangs_together_has_one_number():
    groups = join(6, np.array([0, 4, 1]), np.array([2, 1, 4]))
    assert groups[0] == groups[2]
    assert groups[1] == groups[4]
    assert len({groups[0], groups[1], groups[3], groups[5]}) == 4
