import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.errors import GeosrsegError
from geosrseg.mapping.planning.scene_plan import fitting_window_size, plan_map
from tests.tiny_models import make_spec

SPEC = make_spec(window_size=256, halo=24, exact_halo=56)


@given(st.floats(0, 1e9), st.sampled_from(["blend", "exact"]))
def test_windows_fit_into_memory_as_long_as_they_advance(pixels, seams):
    size = fitting_window_size(SPEC, pixels=pixels, seams=seams)
    smallest = 64 if seams == "blend" else 120
    assert size % SPEC.multiple == 0
    assert smallest <= size <= 512
    assert size == smallest or size**2 <= pixels
    plan = plan_map(3000, 2000, SPEC, seams=seams, window_size=size)
    assert plan.rows.window_size <= size


@pytest.mark.parametrize(("pixels", "size"), [(10**9, 512), (300**2, 296), (0, 64)])
def test_larger_windows_than_the_model_says_where_memory_allows(pixels, size):
    assert fitting_window_size(SPEC, pixels=pixels) == size


def test_of_the_overlap_one_multiple_is_ramp_and_the_rest_halo():
    plan = plan_map(1000, 1000, SPEC, overlap=40)
    assert (plan.rows.halo, plan.rows.ramp) == (16, 8)
    exact = plan_map(1000, 1000, SPEC, seams="exact")
    assert (exact.rows.halo, exact.rows.ramp) == (56, 0)


def test_a_model_without_exact_halo_has_no_exact_seams():
    with pytest.raises(GeosrsegError, match="no overlap makes seams exact"):
        plan_map(1000, 1000, make_spec(exact_halo=None), seams="exact")
