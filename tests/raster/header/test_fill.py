"""Undeclared fill is found and reported, and becomes nodata where the value can only be fill."""

from dataclasses import replace

import numpy as np
import pytest

from geosrseg.core.normalize import Radiometry
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.header.fill import (
    check_nodata,
    describe_hollows,
    describe_unheld,
    fill_warning,
    find_fill,
    is_certain,
    judge_fill,
    search_fill,
)
from geosrseg.raster.header.fill import without_fill as without
from geosrseg.raster.header.sample import Part, Sample

REFLECTANCE = Radiometry.uniform(3, scale=1e-4)
COLLECTION_2 = Radiometry.uniform(3, scale=2.75e-5, offset=-0.2)


def ground(dtype="int16", bands=3):
    values = np.random.default_rng(1).integers(1, 200, (bands, 64, 64))
    return (values + 500 * np.arange(1, bands + 1)[:, None, None]).astype(dtype)


def sample(numbers, valid=None):
    valid = np.ones(numbers.shape[1:], bool) if valid is None else valid
    part = Part(Window(0, 0, *numbers.shape[1:]), numbers, valid)
    return Sample((part,), numbers[:, :0, 0])


def filled(value, dtype="int16", where=np.s_[:, :, :20], bands=3):
    numbers = ground(dtype, bands)
    numbers[where] = value
    return sample(numbers)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0, "int16"), (-9999, "int16"), (65535, "uint16"), (0, "uint8"), (-3.4e38, "float32")],
)
def test_a_value_over_stretches_is_found_with_its_share(value, dtype):
    (fill,) = find_fill(filled(value, dtype))
    assert fill.value == pytest.approx(value)
    assert fill.share == pytest.approx(20 / 64)


def test_stripes_are_found():
    numbers = ground()
    numbers[:, ::8] = 0
    (fill,) = find_fill(sample(numbers))
    assert (fill.value, fill.share) == (0, 1 / 8)


def test_a_collar_and_saturation_are_two_values():
    numbers = ground("uint16")
    numbers[:, :, :10], numbers[:, :, 50:] = 0, 65535
    assert [fill.value for fill in find_fill(sample(numbers))] == [65535, 0]


def test_one_band_may_have_a_value_that_nothing_else_is():
    (fill,) = find_fill(filled(-9999, where=np.s_[1, :, :20]))
    assert fill.value == -9999
    assert not find_fill(filled(0, where=np.s_[1, :, :20]))  # water may be 0 in one band


def test_one_band_that_is_0_where_others_have_data_is_said():
    numbers = filled(0, where=np.s_[1, :, :16])
    (text,) = describe_hollows(numbers, ("green", "red", "nir"))
    assert text.startswith("red is 0 in 25.0% of its pixels, in large areas where other bands have")
    assert text.endswith("unless `nodata` 0 makes them nodata")


def test_water_that_is_0_in_one_band_has_small_numbers_too():
    numbers = ground()
    numbers[2, :, :32] = np.clip(np.random.default_rng(2).normal(0, 9, (64, 32)), 0, None)
    numbers[2, :, :16] = 0
    assert not describe_hollows(sample(numbers), ("green", "red", "nir"))


@pytest.mark.parametrize("value", [0, -9999])
def test_a_scene_that_is_missing_everywhere_is_refused(value):
    everywhere = filled(value, where=np.s_[:])
    asked = []

    def take(fills, overview):
        asked.append(([fill.value for fill in fills], overview))
        return without(everywhere, fills)

    with pytest.raises(SceneError, match=f"all its pixels are {value}, which marks missing"):
        search_fill(take)
    assert asked == [([], True), ([value], False)]


def test_a_scene_whose_sample_is_all_fill_is_searched_further():
    ground_elsewhere, calls = sample(ground()), []

    def take(fills, overview):
        calls.append(overview)
        return ground_elsewhere if fills else filled(0, where=np.s_[:])

    found, (fill,) = search_fill(take)
    assert (found, fill.value, calls) == (ground_elsewhere, 0, [True, False])
    assert fill_warning(fill, taken=True).startswith("nearly all of its pixels are 0, but no")


def test_an_overview_that_mixes_fill_and_ground_is_not_trusted():
    numbers = ground()
    numbers[:, 3, 3] = -9887  # a mean of -9999 and ground
    overview = sample(numbers)
    mixed = Sample((replace(overview.parts[0], window=Window(0, 0, 128, 128)),), overview.nothing)
    found, _ = search_fill(
        lambda _, may_be_overview: mixed if may_be_overview else sample(ground())
    )
    assert found.values.min() > 0


class TestValuesThatNoSampleNeedsToShow:
    """Where a file declares nothing, usual values are nodata in all of it."""

    SIX = Radiometry.uniform(6, scale=1e-4)

    @pytest.mark.parametrize(
        ("dtype", "radiometry", "shared"),
        [
            ("float32", Radiometry.uniform(6), (0, -9999, -32768, np.finfo("float32").min)),
            ("float32", Radiometry.uniform(3), (-9999, -32768, np.finfo("float32").min)),
            ("int16", SIX, (0, -9999, -32768)),
            ("uint16", SIX, (0,)),
            ("uint16", COLLECTION_2, (0,)),
            ("uint16", REFLECTANCE, ()),  # 65535 may be overexposed
            ("uint8", Radiometry.uniform(6, scale=1 / 255), ()),
        ],
    )
    def test_they_count_where_all_bands_have_them(self, dtype, radiometry, shared):
        bands = len(radiometry.scale)
        _, judged = judge_fill(sample(ground(dtype, bands)), (), radiometry, is_declared=False)
        assert (judged.anywhere, judged.shared, judged.warnings) == ((), shared, ())
        _, judged = judge_fill(sample(ground(dtype, bands)), (), radiometry, is_declared=True)
        assert judged.shared == ()

    def test_small_holes_in_the_sample_are_said_and_left_out(self):
        numbers = ground(bands=6)
        numbers[:, ::9, ::9] = 0
        found, judged = judge_fill(sample(numbers), (), self.SIX, is_declared=False)
        assert judged.warnings[0].startswith("1.6% of its pixels are 0, but no nodata tag")
        assert found.values.min() > 0

    def test_a_scene_of_one_value_is_kept_as_it_is(self):
        everywhere = filled(10_000, "uint16", where=np.s_[:])
        found, judged = judge_fill(
            everywhere, find_fill(everywhere), Radiometry.uniform(3), is_declared=False
        )
        assert (judged.anywhere, judged.shared) == ((), ())
        assert found.values.size

    def test_0_of_water_in_one_band_is_ground_and_minus_9999_is_not(self):
        fills = (*find_fill(filled(0, bands=6)), *find_fill(filled(-9999, bands=6)))
        _, judged = judge_fill(sample(ground(bands=6)), fills, self.SIX, is_declared=True)
        assert (judged.anywhere, judged.shared) == ((-9999,), (0,))


@pytest.mark.parametrize(("bands", "certain"), [(3, False), (4, True), (6, True)])
@pytest.mark.parametrize(
    ("dtype", "has_levels"),
    [("float32", True), ("float64", True), ("int16", True), ("uint8", False)],
)
def test_zeros_of_earth_engine_are_no_ground(bands, certain, dtype, has_levels):
    """Earth Engine writes 0 in all bands for masked pixels; 0 of 8 bits may be a shadow."""
    found = is_certain(0.0, np.dtype(dtype), Radiometry.uniform(bands, scale=1e-4))
    assert found == (certain and has_levels)


def test_what_is_no_stretch_is_ground():
    numbers = ground()
    numbers[:, ::9, ::9] = 0
    assert not find_fill(sample(numbers))
    assert not find_fill(sample(ground()))
    grey = np.repeat(ground("uint8", 1), 3, axis=0)
    assert not find_fill(sample(grey))


def test_pixels_that_are_not_valid_do_not_count():
    numbers = ground()
    numbers[:, :, :20] = 0
    valid = np.ones((64, 64), bool)
    valid[:, :20] = False
    assert not find_fill(sample(numbers, valid))


def test_the_sample_without_it():
    found = filled(0)
    assert without(found, find_fill(found)).values.shape == (3, 64 * 44)


@pytest.mark.parametrize(
    ("value", "dtype", "radiometry", "certain"),
    [
        (-9999, "int16", REFLECTANCE, True),
        (0, "int16", REFLECTANCE, False),  # reflectance 0 is dark
        (0, "uint16", COLLECTION_2, True),  # -0.2 in all bands is not
        (65535, "uint16", COLLECTION_2, True),  # the end of the type
        (255, "uint8", Radiometry.uniform(3, scale=1 / 255), False),
        (30_000, "int16", REFLECTANCE, True),
    ],
)
def test_it_is_taken_where_it_can_be_nothing_else(value, dtype, radiometry, certain):
    (fill,) = find_fill(filled(value, dtype))
    assert is_certain(fill.value, np.dtype(dtype), radiometry) is certain


def test_the_warning_says_value_share_and_option():
    (fill,) = find_fill(filled(0))
    assert fill_warning(fill, taken=False) == (
        "31.2% of its pixels are 0, but no nodata tag declares it: they are mapped as ground, "
        "unless `nodata` 0 makes them nodata"
    )
    assert fill_warning(fill, taken=True).endswith("it: nodata where all bands have it")
    assert fill_warning(fill, taken=True, anywhere=True).endswith("nodata where any band has it")


def test_nodata_is_a_number():
    assert check_nodata([0, 65535, 0]) == (0.0, 65535.0)
    with pytest.raises(SceneError, match="`nodata` nan: expected a finite number"):
        check_nodata([float("nan")])


@pytest.mark.parametrize(
    ("value", "dtype", "unheld"),
    [
        (99999.0, "int16", True), (-9999.0, "uint16", True), (0.5, "int16", True),
        (-9999.0, "int16", False), (65535.0, "uint16", False), (1e20, "float32", False),
    ],
)  # fmt: skip
def test_a_value_that_the_type_cannot_hold_is_said(value, dtype, unheld):
    said = describe_unheld((0.0, value), dtype)
    assert len(said) == unheld
    assert all(f"`nodata` {value:.10g}: no pixel can have it" in line for line in said)
