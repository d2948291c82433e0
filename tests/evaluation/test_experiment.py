import pytest

from geosrseg.errors import RunError
from geosrseg.evaluation.experiment import ExperimentPlan, find_baselines


def plan(protocols=("end-to-end", "lr", "hr", "two-stage"), upscale_factors=(4, 8), **weights):
    return ExperimentPlan(protocols=protocols, upscale_factors=upscale_factors, **weights)


def names(experiments):
    return [each.name for each in experiments]


def test_every_protocol_is_trained_with_every_factor_and_hr_once():
    assert names(plan().experiments()) == [
        "lr-8x",
        "two-stage-8x",
        "end-to-end-8x",
        "lr-4x",
        "two-stage-4x",
        "end-to-end-4x",
        "hr",
    ]


def test_a_grid_is_every_pair_of_weights_end_to_end():
    planned = plan(("lr", "end-to-end"), (4,), alphas=(0.1, 1.0), betas=(1.0, 1e5)).experiments()
    assert names(planned) == [
        "lr-4x",
        "end-to-end-4x-a0.1-b1",
        "end-to-end-4x-a0.1-b100000",
        "end-to-end-4x-a1-b1",
        "end-to-end-4x-a1-b100000",
    ]
    assert (planned[2].alpha, planned[2].beta) == (0.1, 1e5)
    assert (planned[0].alpha, planned[0].beta) == (None, None)


def test_a_single_pair_of_weights_is_everybodys():
    planned = plan(("lr", "end-to-end"), (4,), alphas=(0.5,), betas=(2.0,)).experiments()
    assert names(planned) == ["lr-4x", "end-to-end-4x"]
    assert {(each.alpha, each.beta) for each in planned} == {(0.5, 2.0)}


def test_names_are_unlike():
    alphas, betas = (0.001, 0.01, 0.1, 1.0), (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
    planned = names(plan(alphas=alphas, betas=betas).experiments())
    assert len(set(planned)) == len(planned) == 2 * (2 + 24) + 1


def test_the_baseline_is_lr_of_the_same_factor():
    assert find_baselines(plan().experiments()) == [None, 0, 0, None, 3, 3, None]
    assert find_baselines(plan(("end-to-end", "hr")).experiments()) == [None, None, None]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"protocols": ("both",)}, "protocol both: expected some of end-to-end"),
        ({"protocols": ()}, "protocol none"),
        ({"upscale_factors": ()}, "no upscale factor"),
        ({"upscale_factors": (4, 4)}, "expected distinct values, got 4, 4"),
        ({"alphas": (1.0, 2.0)}, "give both --alpha and --beta"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(RunError, match=message):
        plan(**values)
