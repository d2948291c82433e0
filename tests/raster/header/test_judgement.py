"""Comparison of a scene's reflectances and pixel size with the training data."""

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.domain import LEVELS, Domain
from geosrseg.core.normalize import Normalization, Radiometry
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.header.conventions import CONVENTIONS, advice, best_convention
from geosrseg.raster.header.judgement import (
    check_radiometry,
    check_resolution,
    describe_outside,
    find_outside,
)
from tests.tiny_models import make_spec

MEANS = np.array([0.05, 0.08, 0.30])
RANDOM = np.random.default_rng(2)
REFLECTANCE = (MEANS[:, None] * RANDOM.lognormal(0, 0.3, (3, 5000))).astype(np.float32)
SPEC = make_spec(
    normalization=Normalization((0.0,) * 3, (0.15, 0.25, 0.8), (0.3,) * 3),
    domain=Domain(
        resolution=30.0,
        offered=(10.0,),
        reflectance="surface",
        quantiles=tuple(map(tuple, np.quantile(REFLECTANCE, LEVELS, axis=1).T.tolist())),
        means=tuple(REFLECTANCE.mean(axis=1).tolist()),
    ),
)


def stored(scale, offset, dtype="uint16"):
    return np.rint((REFLECTANCE - offset) / scale).astype(dtype)


def check(values, scale, offset=0.0, *, insisted=False):
    radiometry = Radiometry.uniform(3, scale=scale, offset=offset)
    return check_radiometry(values, radiometry, SPEC, insisted=insisted)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda each: each.option)
def test_numbers_are_told_by_the_convention_that_gives_what_the_model_knows(convention):
    dtype = "float32" if convention.scale == 1 else "uint16"
    values = stored(convention.scale, convention.offset, dtype)
    if convention.scale > 1e-3 and dtype != "float32":
        values = stored(convention.scale, convention.offset, "float32")
    assert best_convention(values, SPEC) is convention
    assert check(values, convention.scale, convention.offset) == ""


def test_numbers_that_fit_nothing_have_no_convention():
    assert best_convention(np.full((3, 100), 10.0**9), SPEC) is None


@pytest.mark.parametrize(
    ("values", "scale", "offset", "remedy"),
    [
        (REFLECTANCE, 2.75e-5, -0.2, "`scale` 1"),  # tags that were left over
        (REFLECTANCE, 1e-4, 0.0, "`scale` 1"),
        (stored(1e-4, 0), 1.0, 0.0, "`scale` 0.0001"),
        (stored(1e-4, 0), 2.75e-5, -0.2, "`scale` 0.0001"),
        (stored(2.75e-5, -0.2), 1e-4, 0.0, "`scale` 0.0000275 `offset` -0.2"),
        (stored(0.01, 0, "float32"), 1.0, 0.0, "`scale` 0.01"),
    ],
)
def test_what_no_reflectance_is_is_refused_with_what_would_fit(values, scale, offset, remedy):
    with pytest.raises(SceneError, match=f"{remedy}$"):
        check(values, scale, offset)


def test_a_scale_of_landsat_without_its_offset_is_refused_unless_it_is_insisted_on():
    values = stored(2.75e-5, -0.2)
    with pytest.raises(SceneError, match=r"give `scale` 0.0000275 `offset` -0.2, or `offset` 0"):
        check(values, 2.75e-5)
    assert "Collection 2" in check(values, 2.75e-5, insisted=True)


def test_a_missing_offset_of_sentinel_2_is_said():
    warning = check(stored(1e-4, -0.1), 1e-4)
    assert "give `scale` 0.0001 `offset` -0.1" in warning
    assert check(stored(1e-4, 0), 1e-4) == ""


def test_a_scale_of_nobody_is_compared_with_those_of_products():
    assert "as reflectance times 10000 it would be like it" in check(stored(1e-4, 0), 2.5e-4)


GREEN = (0.04, 0.06, 0.05, 0.30)
LAND = RANDOM.lognormal(0, 0.2, (4, 4000)) * np.array(GREEN)[:, None]
WIDE = make_spec(
    bands=4,
    domain=Domain(reflectance="both", quantiles=((0.0, *np.linspace(0.01, 0.6, 7), 1.0),) * 4,
                  means=(0.2,) * 4),
)  # fmt: skip
WIDE = replace(WIDE, bands=("blue", "green", "red", "nir"))
"""Spec of a model trained on all kinds of ground, whose quantiles tell little."""


def judged(values, scale, offset=0.0, *, insisted=False):
    radiometry = Radiometry.uniform(4, scale=scale, offset=offset)
    return check_radiometry(values, radiometry, WIDE, insisted=insisted)


def numbers(scale, offset=0.0, dtype="uint16"):
    return np.rint((LAND - offset) / scale).astype(dtype)


class TestVegetation:
    """How a scale is judged where the model knows all kinds of ground."""

    @pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda each: each.option)
    def test_a_right_scale_goes_without_a_word(self, convention):
        dtype = "float32" if convention.scale >= 0.01 else "uint16"
        values = ((LAND - convention.offset) / convention.scale).astype(dtype)
        assert judged(values, convention.scale, convention.offset) == ""

    @pytest.mark.parametrize(
        ("values", "scale", "offset", "why", "option"),
        [
            (numbers(1e-4), 0.002, 0, "vegetation would have|not a reflectance", "`scale` 0.0001"),
            (numbers(1e-4), 1.5e-5, 0, "its vegetation would have", "`scale` 0.0001"),
            (numbers(2e-3), 1e-4, 0, "about 0|vegetation", "`scale` 0.002"),
            (numbers(1e-4), 1e-4, -0.1, "its darkest tenth would be below 0", "`scale` 0.0001"),
            (numbers(1e-4), 2.75e-5, 0, "without its offset", "`scale` 0.0001"),
            (numbers(1e-4, -0.1), 2.75e-5, 0, "its offset", "`scale` 0.0001 `offset` -0.1"),
            (LAND, 1, -0.2, "an offset without a scale", "`scale` 1"),
            (LAND * 100, 1, 0, "not a reflectance", "`scale` 0.01"),
        ],
    )
    def test_a_wrong_one_is_refused_with_the_one_that_fits(
        self, values, scale, offset, why, option
    ):
        with pytest.raises(SceneError, match=rf"({why}).*{option}(;|$)"):
            judged(values, scale, offset)

    def test_green_land_that_is_nowhere_dark_has_an_offset(self):
        assert "`scale` 0.0001 `offset` -0.1" in judged(numbers(1e-4, -0.1), 1e-4)

    def test_numbers_that_may_be_two_things_are_said_to_be_both(self):
        both = advice(numbers(1 / 255, dtype="uint8"), WIDE)
        assert "8-bit images (1/255): `scale` 0.00392" in both


def test_nothing_is_said_of_an_empty_sample():
    assert check(np.empty((3, 0)), 1.0) == ""


class TestOutside:
    def test_its_own_kind_is_inside(self):
        share, bands = find_outside(REFLECTANCE, Radiometry.uniform(3), SPEC)
        assert share < 0.01
        assert [band.name for band in bands] == list(SPEC.bands)
        assert not list(self.described(REFLECTANCE))

    def described(self, values, reflectance="surface"):
        return describe_outside(values, Radiometry.uniform(3), SPEC, reflectance=reflectance)

    def test_another_kind_is_said_by_band_and_by_how_much(self):
        water = np.stack([np.full(100, value) for value in (0.04, 0.03, 0.01)])
        (text,) = self.described(water)
        assert text.startswith("100% of its pixels are unlike what tiny learned from: ")
        assert "band 3 100% (median 0.01, learned 0.1" in text

    def test_another_kind_of_reflectance_is_said(self):
        (text,) = self.described(REFLECTANCE, "top of atmosphere")
        assert text == "its reflectance is top of atmosphere, and tiny learned from surface"


class TestResolution:
    def check(self, metres, *, insisted=False, crs="EPSG:32636"):
        transform = Affine(metres, 0, 500_000, 0, -metres, 800_000)
        grid = Grid(CRS.from_string(crs), transform, 100, 100)
        return check_resolution(grid, SPEC, insisted=insisted)

    def test_what_it_learned_from_goes_without_a_word(self):
        assert self.check(30) == self.check(24) == self.check(37) == ""

    def test_what_it_is_offered_for_is_said(self):
        assert "its pixels are 10 m, tiny learned from 30 m" in self.check(10)

    def test_another_one_is_refused_with_both_figures(self):
        with pytest.raises(SceneError, match=r"pixels are 250 m, and tiny is for 30 m or 10 m"):
            self.check(250)
        assert "as `any_resolution` says" in self.check(250, insisted=True)

    def test_degrees_are_metres_at_the_latitude(self):
        grid = Grid(CRS.from_epsg(4326), Affine(0.00054, 0, 25, 0, -0.00027, 60), 100, 100)
        assert check_resolution(grid, SPEC, insisted=False) == ""

    def test_a_scene_without_a_place_has_no_resolution(self):
        grid = Grid(None, Affine(250, 0, 0, 0, -250, 0), 9, 9)
        assert check_resolution(grid, SPEC, insisted=False) == ""
