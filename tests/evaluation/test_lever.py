import pytest

from geosrseg.errors import RunError
from geosrseg.evaluation.experiment import ExperimentPlan, find_baselines
from geosrseg.evaluation.lever import LEVERS, values_of
from geosrseg.networks.presets import PRESETS, configure

ALL = ("lr", "end-to-end", "hr")


def plan(*levers, seeds=1, protocols=ALL):
    return ExperimentPlan(protocols=protocols, upscale_factors=(8,), seeds=seeds, levers=levers)


def test_the_baseline_has_the_levers_that_it_can_have():
    names = [each.name for each in plan("teacher+task", "task").experiments()]
    assert names == [
        "lr-8x",
        "lr-8x-teacher",
        "end-to-end-8x",
        "end-to-end-8x-teacher-task",
        "end-to-end-8x-task",
        "hr",
    ]


def test_an_arm_is_compared_with_the_baseline_of_its_levers_and_its_seed():
    experiments = plan("teacher+task", "task", seeds=2).experiments()
    found = {
        each.name: experiments[baseline].name
        for each, baseline in zip(experiments, find_baselines(experiments), strict=True)
        if baseline is not None
    }
    assert found == {
        f"end-to-end-8x{own}-s{seed}": f"lr-8x{theirs}-s{seed}"
        for own, theirs in (("", ""), ("-teacher-task", "-teacher"), ("-task", ""))
        for seed in (0, 1)
    }


def test_a_task_alone_teaches_no_labels():
    assert values_of(["task"], teacher=True) == {"task_weight": 1.0, "teacher_weight": 0.0}
    both = values_of(["teacher", "task"], teacher=True)
    assert both == {"task_weight": 1.0, "teacher_weight": 1.0}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("lever", LEVERS)
def test_every_preset_takes_every_lever(preset, lever):
    _, recipe = configure(
        preset,
        protocol="end-to-end",
        bands=3,
        classes=2,
        upscale_factor=8,
        replaced=LEVERS[lever],
    )
    assert all(getattr(recipe, name) == value for name, value in LEVERS[lever].items())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"levers": ("magic",)}, "lever 'magic': expected some of teacher, task, warm-up"),
        ({"levers": ("teacher",), "protocols": ("lr",)}, "learns from protocol hr: add it"),
        (
            {"levers": ("task",), "alphas": (1.0, 2.0), "betas": (1.0,)},
            "a grid of weights cannot have levers",
        ),
        ({"levers": ("task", "task")}, "expected distinct values"),
        ({"seeds": 0}, "0 seeds: expected 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(RunError, match=message):
        ExperimentPlan(**{"protocols": ALL, "upscale_factors": (8,)} | values)
