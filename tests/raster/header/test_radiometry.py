from types import SimpleNamespace

import numpy as np
import pytest

from geosrseg.core.normalize import Radiometry
from geosrseg.errors import SceneError
from geosrseg.raster.header.radiometry import find_radiometry, infer_radiometry


def values(low: float, high: float, dtype: str = "int16") -> np.ndarray:
    return np.linspace(low, high, 4001).astype(dtype)[None]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floating_point_reflectance_is_taken_as_it_is(dtype):
    for low, high in ((-0.2, 1.6), (0, 0), (0.02, 0.4)):
        radiometry, warning = infer_radiometry(values(low, high, dtype))
        assert (radiometry, warning) == (Radiometry.uniform(1), "")


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_ten_thousandths_are_recognized_and_said(dtype):
    for low, high in ((-1854, 4649), (0, 10_000), (100, 800)):
        radiometry, warning = infer_radiometry(values(low, high, dtype))
        assert radiometry == Radiometry.uniform(1, scale=1e-4)
        assert f"{low} to {high}" in warning


def test_a_few_glints_do_not_matter():
    numbers = np.append(values(100, 4000), np.full((1, 20), 20_000, np.int16), axis=1)
    assert infer_radiometry(numbers)[0] == Radiometry.uniform(1, scale=1e-4)


@pytest.mark.parametrize(
    "numbers",
    [
        values(0, 255, "uint8"),  # 8-bit digital numbers
        values(0, 255, "int16"),  # the same, in a wider type
        values(0, 255, "float32"),
        values(7273, 43636, "uint16"),  # Collection 2 Level 2
        values(0, 10_000, "uint16"),  # Sentinel-2, or raw digital numbers
        values(5000, 30_000, "int16"),  # Level 1
        values(0, 10_000, "int32"),
        values(250, 320, "float32"),  # kelvin
    ],
    ids=lambda numbers: f"{numbers.dtype}-{numbers.max()}",
)
def test_what_is_not_certain_is_refused_with_the_remedy(numbers):
    eight_bits = r"`scale` 0\.00392156862745098 for 8-bit images"
    remedy = eight_bits if numbers.dtype == np.uint8 else r"`scale` 0\.0000275 `offset` -0\.2"
    with pytest.raises(SceneError, match=remedy) as caught:
        infer_radiometry(numbers)
    for part in (str(numbers.dtype), f"{numbers.min():g} to {numbers.max():g}", "reflectance"):
        assert part in str(caught.value)


@pytest.mark.parametrize(("fill", "dtype"), [(-9999, "int16"), (-3.4e38, "float32")])
def test_an_undeclared_fill_value_is_not_a_measurement(fill, dtype):
    numbers = np.append(values(100, 4000, dtype), np.array([[fill]], dtype), axis=1)
    with pytest.raises(SceneError, match=r"`nodata` -\S+ if it marks"):
        infer_radiometry(numbers)


def test_a_scene_without_a_valid_pixel_has_nothing_to_infer():
    radiometry, warning = infer_radiometry(np.empty((3, 0), np.uint8))
    assert radiometry == Radiometry.uniform(3)
    assert "no pixel is valid" in warning


COLLECTION_2 = (2.75e-5, -0.2)


def stated(*pairs: tuple[float, float]) -> Radiometry:
    """The radiometry of a file whose bands state these scales and offsets."""
    scales, offsets = zip(*pairs, strict=True)
    dataset = SimpleNamespace(scales=scales, offsets=offsets)
    chosen = SimpleNamespace(indexes=tuple(range(1, len(pairs) + 1)))
    numbers = np.full((len(pairs), 9), 9000, np.uint16)
    return find_radiometry(dataset, chosen, numbers, scale=None, offset=None)[0]


@pytest.mark.parametrize("other", [(1.0, 0.0), (1e-4, -0.2), (2.75e-5, 0.0)])
@pytest.mark.parametrize("band", [1, 2, 6])
def test_a_band_that_states_another_scale_than_its_neighbours_is_refused(other, band):
    pairs = [COLLECTION_2] * 6
    pairs[band - 1] = other
    with pytest.raises(
        SceneError, match=rf"its band {band} states .* the others 2.75e-05 and -0.2"
    ):
        stated(*pairs)


def test_scales_of_level_1_differ_a_little():
    pairs = [(2e-5 * (1 + band / 10), -0.1) for band in range(6)]
    assert stated(*pairs).scale == tuple(scale for scale, _ in pairs)
