import dataclasses
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.domain import LEVELS, Domain
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.core.normalize import Normalization
from geosrseg.core.spec import SPEC_VERSION, ModelSpec
from geosrseg.errors import ModelError

SPEC = ModelSpec(
    name="kafa-slim",
    version="1.2",
    bands=("green", "red", "nir"),
    upscale_factor=4,
    normalization=Normalization((0.0, 0.0, 0.0), (0.2, 0.3, 0.6), (0.4, 0.3, 0.5)),
    legend=Legend((LegendClass(0, "forêt", "#1b7837"), LegendClass(3, "coffee", "#a6611a"))),
    multiple=8,
    window_size=256,
    halo=8,
    exact_halo=96,
    licence="CC-BY-4.0",
    training_data="Kafa, 2016",
    limits="one district",
    metrics={"kappa": 0.81, "mean_iou": 0.62},
    config_hash="0123abcd",
    confusion=((90, 10), (5, 45)),
    domain=Domain(
        resolution=30.0,
        offered=(10.0,),
        reflectance="surface",
        sensors=("OLI", "MSI"),
        region="Kafa",
        dates="2016",
        quantiles=(tuple(level / 2 for level in LEVELS),) * 3,
        means=(0.1, 0.2, 0.3),
    ),
)


PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


def changed(**values):
    return json.dumps(json.loads(SPEC.to_json()) | values)


def without(key):
    return json.dumps({k: v for k, v in json.loads(SPEC.to_json()).items() if k != key})


OPTIONAL = {"confusion", "domain", "measured_halo", "precisions", "temperature"}
"""Keys that older files lack."""


class TestRoundTrip:
    def test_the_same_comes_back(self):
        assert ModelSpec.from_json(SPEC.to_json()) == SPEC

    @given(
        name=PLAIN,
        bands=st.lists(PLAIN, min_size=3, max_size=3, unique=True).map(tuple),
        factor=st.integers(1, 16),
        metrics=st.dictionaries(PLAIN, st.floats(allow_nan=False, allow_infinity=False)),
    )
    def test_whatever_the_values(self, name, bands, factor, metrics):
        spec = dataclasses.replace(
            SPEC, name=name, bands=bands, upscale_factor=factor, metrics=metrics
        )
        assert ModelSpec.from_json(spec.to_json()) == spec

    def test_every_field_is_written(self):
        written = json.loads(SPEC.to_json())
        assert set(written) == {f.name for f in dataclasses.fields(SPEC)} | {"spec_version"}
        assert written["spec_version"] == SPEC_VERSION

    def test_a_network_without_an_exact_halo(self):
        spec = dataclasses.replace(SPEC, exact_halo=None)
        assert ModelSpec.from_json(spec.to_json()) == spec
        assert (SPEC.widest_halo, spec.widest_halo) == (SPEC.exact_halo, SPEC.halo)

    def test_a_file_from_before_halos_were_measured(self):
        assert ModelSpec.from_json(without("measured_halo")).measured_halo is None

    def test_a_file_that_does_not_say_what_it_learned_from(self):
        assert ModelSpec.from_json(without("domain")).domain == Domain()

    def test_a_file_without_a_confusion_matrix(self):
        spec = ModelSpec.from_json(without("confusion"))
        assert spec == dataclasses.replace(SPEC, confusion=())

    def test_unknown_keys_are_left_alone(self):
        assert ModelSpec.from_json(changed(added_later=1)) == SPEC

    def test_a_file_that_names_no_precisions_runs_in_fp32(self):
        assert ModelSpec.from_json(without("precisions")) == SPEC
        spec = dataclasses.replace(SPEC, precisions=("fp32", "bf16"))
        assert ModelSpec.from_json(spec.to_json()) == spec


class TestRefusals:
    @pytest.mark.parametrize("text", ["", "not JSON", "[]", "null", "4", '"text"', "[" * 100_000])
    def test_what_is_no_object(self, text):
        with pytest.raises(ModelError, match="the ModelSpec is not valid"):
            ModelSpec.from_json(text)

    def test_a_newer_version_with_the_remedy(self):
        with pytest.raises(ModelError, match=r"version 2, .* reads up to 1: upgrade geosrseg"):
            ModelSpec.from_json(changed(spec_version=2))

    @pytest.mark.parametrize("key", sorted(json.loads(SPEC.to_json()).keys() - OPTIONAL))
    def test_a_missing_key_by_name(self, key):
        with pytest.raises(ModelError, match=f"'{key}' is missing"):
            ModelSpec.from_json(without(key))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"spec_version": "1"}, "spec_version is an integer, got '1'"),
            ({"name": 4}, "name is text, got 4"),
            ({"name": None}, "name is text, got None"),
            ({"bands": "rgb"}, "bands is a list, got 'rgb'"),
            ({"bands": [1, 2, 3]}, "bands is text, got 1"),
            ({"upscale_factor": True}, "upscale_factor is an integer, got True"),
            ({"upscale_factor": 4.7}, "upscale_factor is an integer, got 4.7"),
            ({"upscale_factor": "4"}, "upscale_factor is an integer, got '4'"),
            ({"halo": float("inf")}, "halo is an integer, got inf"),
            ({"normalization": []}, "normalization holds JSON objects"),
            (
                {"normalization": {"low": [False] * 3, "high": [1] * 3, "fill": [0] * 3}},
                "low is a number, got False",
            ),
            ({"normalization": {"low": "000", "high": "111", "fill": "000"}}, "low is a list"),
            ({"legend": {}}, "legend is a list"),
            ({"legend": [[0, "a", "#000000"]]}, "legend holds JSON objects"),
            ({"metrics": []}, "metrics holds JSON objects"),
            ({"precisions": ["bf16"]}, "the precisions are fp32 and others of"),
            ({"precisions": ["fp32", "fp8"]}, "the precisions are fp32 and others of"),
            ({"metrics": {"kappa": True}}, "kappa is a number, got True"),
        ],
    )
    def test_a_value_of_another_type(self, change, message):
        with pytest.raises(ModelError, match=message):
            ModelSpec.from_json(changed(**change))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"bands": ()}, "bands have names that differ"),
            ({"bands": ("red", "red", "nir")}, "bands have names that differ"),
            ({"bands": ("red", "nir")}, "2 bands but normalization for 3"),
            ({"upscale_factor": 0}, "upscale factor is 1 to 16, got 0"),
            ({"upscale_factor": 17}, "upscale factor is 1 to 16, got 17"),
            ({"multiple": 0}, "multiple is 1 to 1024, got 0"),
            ({"window_size": 4}, "window size is .* to 16384, got 4"),
            ({"window_size": 20_000}, "to 16384, got 20000"),
            ({"halo": -1}, "0 <= halo <= exact_halo"),
            ({"halo": 97}, "0 <= halo <= exact_halo <= 4096, got 97 and 96"),
            ({"exact_halo": 5000}, "0 <= halo <= exact_halo <= 4096"),
            ({"name": "a\x1b[2J"}, r"name is plain text, got the characters U\+001B"),
            ({"name": "two\nlines"}, r"name is plain text, got the characters U\+000A"),
            ({"licence": "half \ud800"}, r"licence is plain text, got the characters U\+D800"),
            ({"limits": "x" * 10_001}, "limits has 10001 characters, expected at most 10000"),
            ({"bands": ("red", "\0", "nir")}, r"a band or metric .* U\+0000"),
            ({"exact_halo": None, "halo": 5000}, "0 <= halo <= exact_halo <= 4096"),
            ({"measured_halo": 97}, "0 <= measured_halo <= exact_halo, got 97 and 96"),
            ({"confusion": ((1, 2),)}, "a row and a column for each of 2 classes"),
            ({"confusion": ((1, 2), (3,))}, "a row and a column for each of 2 classes"),
        ],
    )
    def test_values_that_contradict_each_other(self, change, message):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(SPEC, **change)
        with pytest.raises(ModelError, match=message):
            ModelSpec.from_json(changed(**change))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        ),
        st.sampled_from(sorted(json.loads(SPEC.to_json()))),
    )
    def test_no_json_value_causes_another_error(self, value, key):
        with suppress(ModelError):
            ModelSpec.from_json(changed(**{key: value}))
