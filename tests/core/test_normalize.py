import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosrseg.core.normalize import (
    Normalization,
    Radiometry,
    normalize_bands,
)

LANDSAT = Radiometry.uniform(2, scale=0.0000275, offset=-0.2)
NORMALIZATION = Normalization(low=(0.0, 0.05), high=(0.3, 0.6), fill=(0.25, 0.5))


def normalized(numbers, valid, radiometry=LANDSAT):
    return normalize_bands(numbers, valid, radiometry=radiometry, normalization=NORMALIZATION)


class TestNormalizeBands:
    def test_follows_the_formula(self):
        numbers = np.array([[[7273, 10000]], [[14000, 20000]]], np.uint16)
        reflectance = numbers * 0.0000275 - 0.2
        expected = [
            np.clip(reflectance[0] / 0.3, 0, 1),
            np.clip((reflectance[1] - 0.05) / 0.55, 0, 1),
        ]
        result = normalized(numbers, np.ones((1, 2), bool))
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, atol=1e-6)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
    def test_does_not_depend_on_the_dtype(self, dtype):
        numbers = np.arange(100).reshape(2, 5, 10)
        radiometry = Radiometry.uniform(2, scale=0.005)
        valid = np.ones((5, 10), bool)
        np.testing.assert_array_equal(
            normalized(numbers.astype(dtype), valid, radiometry),
            normalized(numbers.astype(np.int64), valid, radiometry),
        )

    @given(
        hnp.arrays(np.float32, (2, 4, 5), elements=st.floats(width=32)),
        hnp.arrays(np.bool_, (4, 5)),
        st.sampled_from([np.nan, np.inf, -np.inf, -9999, np.finfo(np.float32).max]),
    )
    def test_what_is_not_valid_never_reaches_the_model(self, numbers, valid, nodata):
        numbers = np.where(np.isfinite(numbers), numbers, 0)
        result = normalized(np.where(valid, numbers, np.float32(nodata)), valid)
        np.testing.assert_array_equal(result, normalized(np.where(valid, numbers, 7), valid))
        for band, fill in zip(result, NORMALIZATION.fill, strict=True):
            np.testing.assert_array_equal(band[~valid], np.float32(fill))

    @given(hnp.arrays(np.float32, (2, 4, 5), elements=st.floats(width=32, allow_nan=False)))
    def test_stays_between_zero_and_one(self, numbers):
        result = normalized(numbers, np.ones((4, 5), bool))
        assert ((result >= 0) & (result <= 1)).all()

    def test_leaves_its_input_as_it_was(self):
        numbers, valid = np.full((2, 3, 3), 9000.0, np.float32), np.eye(3, dtype=bool)
        before = numbers.copy()
        normalized(numbers, valid)
        np.testing.assert_array_equal(numbers, before)


class TestRadiometry:
    def test_uniform_is_the_same_for_all_bands(self):
        assert Radiometry.uniform(2, scale=2, offset=1) == Radiometry((2.0, 2.0), (1.0, 1.0))

    @pytest.mark.parametrize(
        ("scale", "offset", "message"),
        [
            ((), (), "per band"),
            ((1.0, 1.0), (0.0,), "per band"),
            ((0.0,), (0.0,), "not zero"),
            ((float("nan"),), (0.0,), "finite"),
            ((1.0,), (float("inf"),), "finite"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, scale, offset, message):
        with pytest.raises(ValueError, match=message):
            Radiometry(scale, offset)


class TestNormalization:
    def test_json_round_trip(self):
        assert Normalization.from_json(NORMALIZATION.to_json()) == NORMALIZATION

    @pytest.mark.parametrize(
        ("low", "high", "fill", "message"),
        [
            ((), (), (), "per band"),
            ((0.0,), (1.0, 1.0), (0.5,), "per band"),
            ((0.0,), (float("inf"),), (0.5,), "finite"),
            ((0.5,), (0.5,), (0.5,), "high is above low"),
            ((0.0,), (1.0,), (1.5,), r"model input in \[0, 1\]"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, low, high, fill, message):
        with pytest.raises(ValueError, match=message):
            Normalization(low, high, fill)
