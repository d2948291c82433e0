"""A reproduction on a dataset that tiny networks learn, stopped and continued."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import OutputError, RunError
from geosrseg.evaluation.experiment import Experiment, ExperimentPlan, find_baselines
from geosrseg.evaluation.report.page import report_html
from geosrseg.evaluation.report.protocols import group_by_factor, list_claims, list_grids
from geosrseg.evaluation.reproducing import reproduce as module
from geosrseg.evaluation.reproducing.reproduce import Budget, reproduce
from tests.tiny_datasets import write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

BUDGET = Budget(
    preset="slim",
    replaced={
        "epochs": 1,
        "chips_per_epoch": 4,
        "batch_size": 4,
        "chip_size": 64,
        "precision": "fp32",
        "sr_base": 3,
        "sr_feat": 4,
        "sr_stages": 2,
        "seg_width": 1 / 16,
        "averaging": 0.0,
        "class_offsets": False,
    },
)
PLAN = ExperimentPlan(protocols=("lr", "end-to-end", "hr"), upscale_factors=(4,))


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    return read_card(write_dataset(folder), data=folder)


def run(card, folder, *, plan=PLAN, budget=BUDGET, **options):
    return reproduce(
        card, folder, plan=plan, budget=budget, split="validation", device="cpu", **options
    )


@pytest.fixture(scope="module")
def finished(card, tmp_path_factory):
    """A folder, its report, and the steps that were told."""
    folder, steps = tmp_path_factory.mktemp("reproduction") / "all", []
    return folder, run(card, folder, on_step=steps.append), steps


def test_it_leaves_runs_models_and_a_report(finished):
    folder, report, steps = finished
    names = ["lr-4x", "end-to-end-4x", "hr"]
    assert {path.name for path in folder.iterdir()} == {"plan.json", "runs", "models", "report"}
    assert {path.name for path in (folder / "runs").iterdir()} == set(names)
    assert {path.stem for path in (folder / "models").iterdir()} == set(names)
    assert [model.model for model in report.models] == names
    assert [step.text for step in steps] == [*(f"train {name}" for name in names), "evaluate"]
    assert [(step.number, step.steps) for step in steps] == [(n, 4) for n in (1, 2, 3, 4)]
    values = json.loads((folder / "report" / "report.json").read_text())
    assert [each["protocol"] for each in values["experiments"]] == ["lr", "end-to-end", "hr"]
    assert values["reports"][1]["compared_with"] == "lr-4x"


def test_all_have_one_budget_and_one_seed(finished):
    folder, _, _ = finished
    recipes = [
        json.loads((path / "config.json").read_text())["recipe"]
        for path in (folder / "runs").iterdir()
    ]
    assert recipes[0]["epochs"] == 1
    assert all(recipe == recipes[0] for recipe in recipes)


def test_called_again_it_leaves_what_is_finished(card, finished):
    folder, report, _ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.glob("[rm][uo]*/**/*")}
    again = run(card, folder)
    after = {path: path.stat().st_mtime_ns for path in folder.glob("[rm][uo]*/**/*")}
    assert before == after
    pairs = zip(again.models, report.models, strict=True)
    assert all(a.confusion.metrics() == b.confusion.metrics() for a, b in pairs)


def test_stopped_between_two_trainings_it_goes_on(card, finished, tmp_path, monkeypatch):
    _, report, _ = finished
    trained = []

    def stop_at_the_second(card, output, **options):
        trained.append(output.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return original(card, output, **options)

    original = module.train
    monkeypatch.setattr(module, "train", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run(card, tmp_path / "all")
    again = run(card, tmp_path / "all")
    assert trained == ["lr-4x", "end-to-end-4x", "end-to-end-4x", "hr"]
    for ours, theirs in zip(again.models, report.models, strict=True):
        assert ours.confusion.metrics() == theirs.confusion.metrics()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plan": replace(PLAN, upscale_factors=(4, 8))}, "upscale_factors"),
        ({"budget": replace(BUDGET, preset="paper")}, "started with preset slim, not paper"),
        (
            {"budget": replace(BUDGET, replaced={**BUDGET.replaced, "seed": 1})},
            "started with replaced",
        ),
    ],
)
def test_other_options_do_not_continue_it(card, finished, changes, message):
    with pytest.raises(RunError, match=f"{message}.*choose another folder"):
        run(card, finished[0], **changes)


def test_a_folder_of_other_things_is_left_alone(card, tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(OutputError, match="is not a reproduction"):
        run(card, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_what_would_stop_the_last_training_is_refused_before_the_first(card, tmp_path):
    bad = replace(BUDGET, replaced={**BUDGET.replaced, "chip_size": 100})
    with pytest.raises(RunError, match="lr-4x: `chip_size` is a multiple of 32"):
        run(card, tmp_path / "all", budget=bad)
    assert not (tmp_path / "all").exists()
    several = replace(BUDGET, replaced={**BUDGET.replaced, "devices": 2})
    with pytest.raises(RunError, match="2 devices"):
        run(card, tmp_path / "all", budget=several)


def test_published_weights_are_those_of_each_factor():
    budget = Budget(preset="paper", init_sr="weights/DBPN_x{n}.pth")
    plan = ExperimentPlan(protocols=("lr", "two-stage", "hr"), upscale_factors=(4, 8))
    files = {each.name: budget.init_sr_of(each) for each in plan.experiments()}
    assert files == {
        "lr-8x": None,
        "two-stage-8x": Path("weights/DBPN_x8.pth"),
        "lr-4x": None,
        "two-stage-4x": Path("weights/DBPN_x4.pth"),
        "hr": None,
    }


def test_weights_that_are_not_there_are_missed_before_the_first_training(card, tmp_path):
    with pytest.raises(RunError, match=r"end-to-end-4x: there is no file DBPN_x4\.pth"):
        run(card, tmp_path / "all", budget=replace(BUDGET, init_sr="DBPN_x{n}.pth"))
    assert not (tmp_path / "all").exists()


def test_seeds_are_paired_and_several_train_at_once(card, tmp_path):
    plan = ExperimentPlan(
        protocols=("lr", "hr"), upscale_factors=(4,), seeds=2, levers=("teacher",)
    )
    steps = []
    run(card, tmp_path / "all", plan=plan, jobs=2, on_step=steps.append)
    names = {f"{arm}-s{seed}" for arm in ("lr-4x", "lr-4x-teacher", "hr") for seed in (0, 1)}
    runs = tmp_path / "all" / "runs"
    assert {path.name for path in runs.iterdir()} == names
    configs = {name: json.loads((runs / name / "config.json").read_text()) for name in names}
    assert {name: config["recipe"]["seed"] for name, config in configs.items()} == {
        name: int(name[-1]) for name in names
    }
    taught = {name for name, config in configs.items() if config["teacher"]}
    assert taught == {"lr-4x-teacher-s0", "lr-4x-teacher-s1"}
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6, 7]
    report = tmp_path / "all" / "report"
    pairs = json.loads((report / "seeds.json").read_text())
    assert {(pair["arm"], pair["compared_with"]) for pair in pairs} == {
        ("hr", "lr-4x"),
        ("hr", "lr-4x-teacher"),
    }
    assert "hr" in (report / "curve.svg").read_text()


class TestTables:
    def test_rows_are_protocols_by_degradation(self, finished):
        _, report, _ = finished
        factors = group_by_factor(report)
        assert [(f.upscale_factor, [t.protocol for t in f.trained]) for f in factors] == [
            (4, ["LR", "End-to-end"]),
            (1, ["HR"]),
        ]

    def test_the_claim_is_end_to_end_against_lr(self, finished):
        _, report, _ = finished
        (claim,) = list_claims(group_by_factor(report))
        assert (claim.lr.model.model, claim.end_to_end.model.model) == ("lr-4x", "end-to-end-4x")
        text = report_html(report)
        assert "As Table 1 of the paper" in text
        assert "As Table 2 of the paper" in text

    def test_a_claim_has_the_seed_and_the_levers_of_its_baseline(self, finished):
        _, report, _ = finished
        experiments = [
            Experiment(protocol=protocol, upscale_factor=4, levers=levers, seed=seed)
            for levers in ((), ("teacher",))
            for protocol in ("lr", "end-to-end")
            for seed in (0, 1)
        ]
        names = [each.name for each in experiments]
        models = tuple(
            replace(report.models[1], model=name, baseline="" if each is None else names[each])
            for name, each in zip(names, find_baselines(experiments), strict=True)
        )
        seeded = replace(report, experiments=tuple(experiments), models=models, views=())
        claims = list(list_claims(group_by_factor(seeded)))
        assert [(claim.lr.model.model, claim.end_to_end.protocol) for claim in claims] == [
            ("lr-4x-s0", "End-to-end, seed 0"),
            ("lr-4x-s1", "End-to-end, seed 1"),
            ("lr-4x-teacher-s0", "End-to-end, teacher, seed 0"),
            ("lr-4x-teacher-s1", "End-to-end, teacher, seed 1"),
        ]

    def test_a_grid_of_several_seeds_has_a_table_for_each(self, finished):
        _, report, _ = finished
        plan = ExperimentPlan(
            protocols=("end-to-end",),
            upscale_factors=(4,),
            alphas=(0.1, 1.0),
            betas=(1.0,),
            seeds=2,
        )
        models = tuple(replace(report.models[1], model=str(k)) for k in range(4))
        gridded = replace(report, experiments=plan.experiments(), models=models, views=())
        grids = list(list_grids(group_by_factor(gridded)))
        assert [(g.seed, [[m.model for m in row] for row in g.cells]) for g in grids] == [
            (0, [["0"], ["2"]]),
            (1, [["1"], ["3"]]),
        ]
        assert "the losses, seed 1" in report_html(gridded)

    def test_a_grid_has_a_row_for_each_alpha_and_a_column_for_each_beta(self, finished):
        _, report, _ = finished
        plan = ExperimentPlan(
            protocols=("end-to-end",), upscale_factors=(4,), alphas=(0.1, 1.0), betas=(1.0, 10.0)
        )
        models = tuple(replace(report.models[1], model=str(k)) for k in range(4))
        gridded = replace(report, experiments=plan.experiments(), models=models, views=())
        (grid,) = list_grids(group_by_factor(gridded))
        assert (grid.alphas, grid.betas) == ((0.1, 1.0), (1.0, 10.0))
        assert [[m.model for m in row] for row in grid.cells] == [["0", "1"], ["2", "3"]]
        assert "End-to-end at 4× by the weights" in report_html(gridded)
