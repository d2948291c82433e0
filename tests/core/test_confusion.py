import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import NODATA

CLASSES = 4

maps = hnp.arrays(np.uint8, (6, 7), elements=st.sampled_from([*range(CLASSES), NODATA]))


def matrix(reference, labels):
    return ConfusionMatrix.of(reference, labels, classes=CLASSES)


def random_maps(seed):
    """Make two maps that agree in about half of the pixels and have every class."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, CLASSES, 500, np.uint8)
    labels = np.where(rng.random(500) < 0.4, reference, rng.integers(0, CLASSES, 500, np.uint8))
    return reference, labels


class TestCounting:
    @given(maps, maps)
    def test_equals_a_loop_and_ignores_nodata(self, reference, labels):
        counts = np.zeros((CLASSES, CLASSES), np.int64)
        for true, predicted in zip(reference.flat, labels.flat, strict=True):
            if true != NODATA and predicted != NODATA:
                counts[true, predicted] += 1
        np.testing.assert_array_equal(matrix(reference, labels).counts, counts)

    @given(maps, maps)
    def test_matrices_of_parts_add_up_to_the_whole(self, reference, labels):
        upper, lower = slice(0, 2), slice(2, None)
        parts = matrix(reference[upper], labels[upper]) + matrix(reference[lower], labels[lower])
        np.testing.assert_array_equal(parts.counts, matrix(reference, labels).counts)

    def test_adding_an_empty_matrix_changes_nothing(self):
        full = matrix(*random_maps(0))
        np.testing.assert_array_equal((ConfusionMatrix.empty(CLASSES) + full).counts, full.counts)

    def test_many_classes_do_not_overflow(self):
        values = np.arange(NODATA, dtype=np.uint8)
        counts = ConfusionMatrix.of(values, values, classes=NODATA).counts
        np.testing.assert_array_equal(counts, np.eye(NODATA))

    def test_shapes_that_differ_are_refused(self):
        with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
            matrix(np.zeros(2, np.uint8), np.zeros(3, np.uint8))

    @pytest.mark.parametrize("which", [0, 1])
    def test_values_that_are_no_class_are_refused(self, which):
        both = [np.zeros(3, np.uint8), np.zeros(3, np.uint8)]
        both[which][1] = CLASSES
        with pytest.raises(ValueError, match="values are 0 to 3 or 255, got 4"):
            matrix(*both)

    @pytest.mark.parametrize(
        "counts", [np.zeros(3, int), np.zeros((2, 3), int), np.array([[1, -1], [0, 0]])]
    )
    def test_counts_are_square_and_not_negative(self, counts):
        with pytest.raises(ValueError, match="square matrix of counts"):
            ConfusionMatrix(counts)


class TestMetrics:
    @pytest.mark.parametrize("seed", range(5))
    def test_equal_those_of_scikit_learn(self, seed):
        reference, labels = random_maps(seed)
        found = matrix(reference, labels)
        expected = {
            "overall_accuracy": sklearn.accuracy_score(reference, labels),
            "normalized_accuracy": sklearn.balanced_accuracy_score(reference, labels),
            "mean_iou": sklearn.jaccard_score(reference, labels, average="macro"),
            "kappa": sklearn.cohen_kappa_score(reference, labels),
        }
        assert found.metrics() == pytest.approx(expected, abs=1e-12)
        by_class = {"average": None, "zero_division": np.nan}
        np.testing.assert_allclose(
            found.iou, sklearn.jaccard_score(reference, labels, average=None)
        )
        np.testing.assert_allclose(
            found.producers_accuracy, sklearn.recall_score(reference, labels, **by_class)
        )
        np.testing.assert_allclose(
            found.users_accuracy, sklearn.precision_score(reference, labels, **by_class)
        )

    def test_worked_by_hand(self):
        found = ConfusionMatrix(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]]))
        assert found.total == 10
        assert found.overall_accuracy == pytest.approx(7 / 10)
        np.testing.assert_allclose(found.producers_accuracy, [3 / 4, 4 / 6, np.nan])
        np.testing.assert_allclose(found.users_accuracy, [3 / 5, 4 / 5, np.nan])
        np.testing.assert_allclose(found.iou, [3 / 6, 4 / 7, np.nan])
        assert found.normalized_accuracy == pytest.approx((3 / 4 + 4 / 6) / 2)
        assert found.mean_iou == pytest.approx((3 / 6 + 4 / 7) / 2)
        assert found.kappa == pytest.approx((0.7 - 0.5) / (1 - 0.5))

    def test_a_class_never_found_counts_as_zero(self):
        found = ConfusionMatrix(np.array([[4, 0], [4, 0]]))
        np.testing.assert_allclose(found.iou, [0.5, 0])
        assert found.mean_iou == 0.25
        assert found.kappa == 0

    def test_of_nothing_are_not_a_number(self):
        empty = ConfusionMatrix.empty(CLASSES)
        assert empty.total == 0
        assert all(math.isnan(value) for value in empty.metrics().values())
        for by_class in (empty.iou, empty.producers_accuracy, empty.users_accuracy):
            assert np.isnan(by_class).all()

    def test_kappa_of_a_single_class_is_not_a_number(self):
        found = ConfusionMatrix(np.array([[5, 0], [0, 0]]))
        assert found.overall_accuracy == 1
        assert math.isnan(found.kappa)
