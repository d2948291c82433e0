import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.domain import LEVELS, Domain

RISING = tuple(range(len(LEVELS)))


def test_what_is_missing_is_unknown():
    assert Domain.from_json({}) == Domain()


@given(resolution=st.floats(0.01, 1e4), region=st.text("ab é\n", max_size=20))
def test_the_same_comes_back(resolution, region):
    domain = Domain(
        resolution=resolution, region=region, quantiles=(RISING,), means=(4.0,), sensors=("TM",)
    )
    assert Domain.from_json(domain.to_json()) == domain


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"resolution": 0.0}, "metres above 0"),
        ({"resolution": "30"}, "resolution is a number"),
        ({"offered": [-1]}, "metres above 0"),
        ({"reflectance": "radiance"}, "the reflectance is surface"),
        ({"region": "\x1b[2J"}, "plain text"),
        ({"quantiles": [list(RISING)]}, "1 bands of quantiles, 0 means"),
        ({"quantiles": [[1, 2]], "means": [1]}, "9 finite quantiles"),
        ({"quantiles": [list(RISING[::-1])], "means": [1]}, "do not fall"),
        ({"quantiles": [1], "means": [1]}, "quantiles is a list"),
    ],
)
def test_what_no_model_can_have_learned_from(values, message):
    with pytest.raises(ValueError, match=message):
        Domain.from_json(values)


@pytest.mark.parametrize(
    ("resolution", "learned", "offered"),
    [(30.0, True, True), (37.0, True, True), (38.0, False, False), (10.5, False, True)],
)
def test_a_quarter_more_or_less_is_the_same_resolution(resolution, learned, offered):
    domain = Domain(resolution=30.0, offered=(10.0,))
    assert domain.learned_from(resolution) is learned
    assert domain.is_offered_for(resolution) is offered


def test_nothing_is_said_of_a_resolution_that_is_not_known():
    assert Domain().learned_from(30.0)
    assert not Domain().resolutions
