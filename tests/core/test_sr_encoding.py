import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.normalize import Normalization, Radiometry, normalize_bands
from geosrseg.core.sr_encoding import SrEncoding

NORMALIZATION = Normalization((0.0, 0.1), (0.4, 0.9), (0.5, 0.5))


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [("int16", 1e-4, 0.0), ("uint16", 2.75e-5, -0.2), ("uint8", 1 / 255, 0.0)],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_numbers_that_the_model_saw_come_back(dtype, scale, offset, seed):
    radiometry = Radiometry.uniform(2, scale=scale, offset=offset)
    low = np.ceil((np.array(NORMALIZATION.low) - offset) / scale).astype(int)
    high = np.floor((np.array(NORMALIZATION.high) - offset) / scale).astype(int)
    rng = np.random.default_rng(seed)
    numbers = rng.integers(np.maximum(low, 1)[:, None, None], high[:, None, None], (2, 5, 7))
    numbers = numbers.astype(dtype)
    inputs = normalize_bands(
        numbers, np.ones((5, 7), bool), radiometry=radiometry, normalization=NORMALIZATION
    )
    found = SrEncoding(dtype, radiometry, NORMALIZATION).encode(inputs)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, numbers)


LEAST = {"uint8": 0, "uint16": 0, "int16": -(2**15), "int32": -(2**31), "uint32": 0}


@pytest.mark.parametrize("dtype", LEAST)
def test_what_is_out_of_range_stays_inside_and_is_never_nodata(dtype):
    encoding = SrEncoding(dtype, Radiometry.uniform(2, scale=1e-12), NORMALIZATION)
    sr = np.array([-9.0, 9.0], np.float32).reshape(1, 1, 2).repeat(2, axis=0)
    found = encoding.encode(sr)
    limits = np.iinfo(dtype)
    assert (found[:, 0, 0] == LEAST[dtype] + 1).all()
    assert (found[:, 0, 1] == limits.max).all()
    assert encoding.nodata == LEAST[dtype]
    assert (encoding.blank((1, 2, 3)) == LEAST[dtype]).all()


@pytest.mark.parametrize(("dtype", "least"), [("int64", -(2**31)), ("uint64", 0)])
def test_nodata_of_64_bits_is_a_number_that_a_file_keeps(dtype, least):
    encoding = SrEncoding(dtype, Radiometry.uniform(2, scale=1e-12), NORMALIZATION)
    assert (encoding.blank((1, 2, 3)) == least).all()
    found = encoding.encode(np.full((2, 1, 1), -9.0, np.float32))
    assert (found == least + 1).all()


def test_floating_point_scenes_stay_floating_point():
    encoding = SrEncoding("float32", Radiometry.uniform(2), NORMALIZATION)
    found = encoding.encode(np.full((2, 1, 1), 0.5, np.float32))
    np.testing.assert_allclose(found.ravel(), [0.2, 0.5], atol=1e-6)
    assert np.isnan(encoding.nodata)
