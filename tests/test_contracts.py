"""Pairs of tables and values that must not drift apart, wherever their rooms are."""

import inspect

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geosrseg
from geosrseg.cli import options
from geosrseg.cli.device_option import device_option
from geosrseg.cli.learning.benchmark import benchmark
from geosrseg.cli.learning.evaluate import evaluate
from geosrseg.cli.learning.export import export
from geosrseg.cli.maps.predict import predict
from geosrseg.core.precision import NOT_OFFERED, PRECISIONS
from geosrseg.mapping.planning.scene_plan import fitting_window_size, plan_map
from geosrseg.runtime.devices.devices import AUTO, DEVICES, find_device
from tests.tiny_models import make_spec


@pytest.mark.parametrize("device", DEVICES.names)
@given(
    window_size=st.integers(8, 600),
    multiple=st.sampled_from([1, 8, 32]),
    halo=st.integers(0, 60),
    exact=st.integers(0, 200),
    seams=st.sampled_from(["blend", "exact"]),
    pixels=st.floats(0, 1e9),
)
def test_every_window_that_is_planned_is_one_that_the_device_takes(
    device, window_size, multiple, halo, exact, seams, pixels
):
    window_size = -(-window_size // multiple) * multiple
    spec = make_spec(
        window_size=window_size, multiple=multiple, halo=min(halo, exact), exact_halo=exact
    )
    limits = find_device(device).limits(spec)
    if limits.window is None:
        return
    size = fitting_window_size(spec, pixels=pixels, seams=seams, largest=limits.window)
    plan = plan_map(3000, 2000, spec, seams=seams, window_size=size)
    assert max(plan.rows.window_size, plan.cols.window_size) <= limits.window


def choices(option):
    return set(option(lambda: None).__click_params__[0].type.choices)


def test_the_commands_choices_are_the_devices_and_precisions_that_there_are():
    assert choices(device_option) == {"auto", *DEVICES.names}
    assert choices(options.precision_option) == {"auto", *PRECISIONS, *NOT_OFFERED}
    assert set(AUTO) <= set(DEVICES.names)


@pytest.mark.parametrize("command", [predict, export, evaluate, benchmark], ids=lambda c: c.name)
def test_what_is_not_given_is_the_same_in_the_command_and_in_python(command):
    function = getattr(geosrseg, command.name)
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    context = click.Context(command)
    shared = [parameter for parameter in command.params if parameter.name in defaults]
    assert len(shared) >= 3
    for parameter in shared:
        given_nothing = parameter.get_default(context)
        if given_nothing is not None and str(given_nothing) != "Sentinel.UNSET":
            assert given_nothing == defaults[parameter.name], parameter.name
