import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.training.validating.calibration import CalibrationCounts


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_the_error_is_that_of_a_loop_over_bins(pixels, seed):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(pixels), rng.random(pixels) < 0.7
    expected = 0.0
    for k in range(15):
        inside = (confidence >= k / 15) & (confidence < (k + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert CalibrationCounts.of(confidence, correct).error == pytest.approx(expected)


def test_the_error_is_zero_where_confidence_is_accuracy():
    confidence = np.full(10, 0.7)
    assert CalibrationCounts.of(confidence, np.arange(10) < 7).error == pytest.approx(0)
    assert CalibrationCounts.of(confidence, np.arange(10) < 2).error == pytest.approx(0.5)
