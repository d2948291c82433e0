"""Reproduces the paper's experiments on one dataset, from training to the report.

The output folder holds

- ``plan.json``: dataset, budget and experiments; a call with others is refused
- ``runs/NAME``: the run of each experiment
- ``models/NAME.onnx``: its model file
- ``report/``: the results on the same pixels; ``curve.svg`` and ``curve.csv``, the learning
  curves; with several seeds ``seeds.json`` and ``seeds.csv``, the differences between arms

A second call resumes an interrupted one and keeps finished runs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback

from geosrseg.core.text.json_text import parse_json
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import OutputError, RunError
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.evaluation.experiment import Experiment, ExperimentPlan, find_baselines
from geosrseg.evaluation.lever import values_of
from geosrseg.evaluation.report.files import write_report
from geosrseg.evaluation.report.report import Report
from geosrseg.evaluation.reproducing.learning_curve import curve_csv, curve_svg, read_curves
from geosrseg.evaluation.reproducing.paired import pair_arms, pairs_csv, pairs_json
from geosrseg.evaluation.reproducing.training_pool import run_tasks
from geosrseg.evaluation.torch_session import torch_place
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.presets import configure
from geosrseg.networks.recipe import SR_VALUES, Recipe
from geosrseg.raster.storage.publication import publish_text, publish_texts
from geosrseg.regular_file import read_regular
from geosrseg.runtime.devices.devices import find_device
from geosrseg.runtime.shipped_models import SUFFIX
from geosrseg.training.finishing.export import export
from geosrseg.training.run_folder.run import Run
from geosrseg.training.starting.start import Start
from geosrseg.training.surroundings import Surroundings
from geosrseg.training.train import train

PLAN = "plan.json"
WEIGHTS = ("alpha", "beta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The settings shared by all experiments.

    Attributes:
        preset: preset of networks and recipe.
        replaced: values to replace in the preset, see `configure`.
        init_sr: see `train`; ``{n}`` stands for the upscale factor.
        init_seg: see `train`.
    """

    preset: str
    replaced: Mapping[str, Any] = field(default_factory=dict)
    init_sr: str | None = None
    init_seg: str | None = None

    def init_sr_of(self, experiment: Experiment) -> Path | None:
        """Return the initial weights of an experiment's SR part, if it trains one."""
        if self.init_sr is None or experiment.protocol in ("lr", "hr"):
            return None
        return Path(self.init_sr.replace("{n}", str(experiment.upscale_factor)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a reproduction: `number` from 1 to `steps`, and its description."""

    number: int
    steps: int
    text: str


def reproduce(
    card: DatasetCard,
    output: str | Path,
    *,
    plan: ExperimentPlan,
    budget: Budget,
    split: str = "test",
    device: str = "auto",
    threads: int | None = None,
    jobs: int = 1,
    workers: int | None = None,
    command: str = "",
    callbacks: Callable[[], Sequence[Callback]] = tuple,
    on_step: Callable[[Step], None] = lambda _: None,
) -> Report:
    """Train every experiment, measure all of them on the same pixels, and write the report.

    Args:
        output: the folder, created or continued.
        split: split to measure.
        device: device for the measurement; training uses the best one available.
        threads: CPU threads for the measurement.
        jobs: trainings run in parallel, each in its own process; 1 trains in this process.
        workers: see `train`; applies to each training.
        command: command line, for the report.
        callbacks: makes further Lightning callbacks for each training; ignored with several
            jobs.
        on_step: called before each training, or with several jobs after it, and before the
            measurement.

    Raises:
        RunError: the folder was started with another dataset, budget or plan; see also `train`.
        GeosrsegError: see `train`, `export` and `evaluate`.
    """
    output, experiments = Path(output), plan.experiments()
    _check_configurations(card, experiments, budget)
    _begin(output, _describe(card, plan, budget))
    make = partial(_train, card, output, budget=budget, workers=workers)
    if jobs > 1:
        _train_at_once(output, experiments, make, jobs=jobs, on_step=on_step)
    else:
        for number, experiment in enumerate(sorted(experiments, key=lambda each: each.taught), 1):
            on_step(_step(number, experiments, f"train {experiment.name}"))
            make(experiment, callbacks=callbacks())
    on_step(_step(len(experiments) + 1, experiments, "evaluate"))
    report = evaluate(
        [_model(output, experiment) for experiment in experiments],
        card,
        split=split,
        baselines=find_baselines(experiments),
        device=device,
        threads=threads,
        networks=_networks(output, experiments, device),
    )
    report = replace(report, command=command, experiments=experiments)
    folder = output / "report"
    write_report(report, folder, overwrite=True)
    runs = {each: output / "runs" / each.name for each in experiments}
    curves = read_curves(runs, card.legend)
    texts = {"curve.csv": curve_csv(curves), "curve.svg": curve_svg(curves)}
    if plan.seeds > 1:
        pairs = pair_arms(report)
        texts |= {"seeds.csv": pairs_csv(pairs), "seeds.json": pairs_json(pairs)}
    publish_texts({folder / name: text for name, text in texts.items()})
    return report


def _networks(output: Path, experiments: Sequence[Experiment], device: str) -> list[JointNetwork]:
    """Return the networks of all runs if PyTorch has a GPU and onnxruntime has none."""
    runs = [Run(output / "runs" / each.name) for each in experiments]
    if device != "auto" or torch_place() == "cpu" or find_device("cuda").why_not() is None:
        return []
    return [run.network() for run in runs] if all(run.finished for run in runs) else []


def _train_at_once(
    output: Path,
    experiments: Sequence[Experiment],
    make: Callable[[Experiment], None],
    *,
    jobs: int,
    on_step: Callable[[Step], None],
) -> None:
    """Train in parallel processes, teachers first."""
    number = 0
    for taught in (False, True):
        wave = [each for each in experiments if each.taught == taught]
        missing = [each for each in wave if not _model(output, each).is_file()]
        for done in run_tasks([partial(make, each) for each in missing], jobs=jobs):
            number += 1
            on_step(_step(number, experiments, f"trained {missing[done].name}"))
        number += len(wave) - len(missing)


def _step(number: int, experiments: Sequence[Experiment], text: str) -> Step:
    return Step(number=number, steps=len(experiments) + 1, text=text)


def _train(
    card: DatasetCard,
    output: Path,
    experiment: Experiment,
    *,
    budget: Budget,
    workers: int | None = None,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Start or resume a run, and export it."""
    if _model(output, experiment).is_file():
        return
    for folder in ("runs", "models"):
        (output / folder).mkdir(exist_ok=True)
    teacher = replace(experiment, protocol="hr", upscale_factor=1, levers=())
    network, recipe = _configure(card, experiment, budget)
    run = train(
        card,
        output / "runs" / experiment.name,
        network=network,
        recipe=recipe,
        start=Start(init_sr=budget.init_sr_of(experiment), init_seg=budget.init_seg),
        teacher=output / "runs" / teacher.name if experiment.taught else None,
        surroundings=Surroundings(workers=workers),
        resume=True,
        callbacks=callbacks,
    )
    export(run.path, _model(output, experiment), name=experiment.name, overwrite=True)


def _configure(
    card: DatasetCard, experiment: Experiment, budget: Budget
) -> tuple[NetworkConfig, Recipe]:
    replaced = dict(budget.replaced)
    if experiment.protocol in ("lr", "hr"):
        replaced = {name: value for name, value in replaced.items() if name not in SR_VALUES}
    replaced |= {
        name: value for name in WEIGHTS if (value := getattr(experiment, name)) is not None
    }
    replaced |= values_of(experiment.levers, teacher=experiment.taught)
    if experiment.seed is not None:
        replaced["seed"] = replaced.get("seed", 0) + experiment.seed
    try:
        return configure(
            budget.preset,
            protocol=experiment.protocol,
            bands=len(card.bands),
            classes=len(card.legend),
            upscale_factor=experiment.upscale_factor,
            replaced=replaced,
        )
    except ValueError as error:
        raise RunError(f"{experiment.name}: {error}") from error


def _check_configurations(
    card: DatasetCard, experiments: Sequence[Experiment], budget: Budget
) -> None:
    """Refuse before the first training what would stop a later one."""
    for experiment in experiments:
        _, recipe = _configure(card, experiment, budget)
        if recipe.devices > 1:
            raise RunError(
                f"{recipe.devices} devices: a reproduction trains on one. Train a run into its "
                "folder runs with geosrseg train --devices, and the reproduction uses that run"
            )
        file = budget.init_sr_of(experiment)
        if file is not None and not file.is_file():
            raise RunError(f"{experiment.name}: there is no file {file}")


def _model(output: Path, experiment: Experiment) -> Path:
    return output / "models" / f"{experiment.name}{SUFFIX}"


def _describe(card: DatasetCard, plan: ExperimentPlan, budget: Budget) -> dict[str, Any]:
    """Return everything that decides the runs, as plain values."""
    text = json.dumps({"dataset": card.name, **asdict(plan), **asdict(budget)})
    values: dict[str, Any] = json.loads(text)
    return values


def _begin(output: Path, description: dict[str, Any]) -> None:
    """Create the folder, or check that it can be continued."""
    file = output / PLAN
    if file.exists():
        _check_plan(output, description)
        return
    if output.exists() and not _is_empty(output):
        raise OutputError(f"{output}: exists and is not a reproduction: choose another folder")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: cannot be made ({error.strerror})") from error
    publish_text(file, json.dumps(description, indent=2, ensure_ascii=False) + "\n")


def _is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing but hidden files, as a killed program may leave."""
    return folder.is_dir() and all(file.name.startswith(".") for file in folder.iterdir())


def _check_plan(output: Path, description: dict[str, Any]) -> None:
    try:
        found = parse_json(read_regular(output / PLAN, limit=2**22))
        changed = [key for key, value in description.items() if found[key] != value]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{output / PLAN} is not a plan of a reproduction: {error}") from error
    if changed:
        key = changed[0]
        raise RunError(
            f"{output} was started with {key} {found[key]}, not {description[key]}: give the same "
            "options again, or choose another folder"
        )
