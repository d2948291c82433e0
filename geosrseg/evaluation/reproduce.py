"""Reproduction: the paper's experiments on one dataset, from training to the report.

Its folder holds

- ``plan.json``: dataset, budget and experiments; with other ones it is not continued
- ``runs/NAME``: the run of each experiment
- ``models/NAME.onnx``: its model file
- ``report/``: what all of them did on the same pixels

Called again it goes on where it was stopped: what is finished is left as it is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback

from geosrseg.core.json_text import parse_json
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import OutputError, RunError
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.evaluation.experiment import Experiment, ExperimentPlan, find_baselines
from geosrseg.evaluation.report.files import write_report
from geosrseg.evaluation.report.report import Report
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import SR_VALUES, Recipe, configure
from geosrseg.raster.files.publication import open_drafts, publish
from geosrseg.regular_file import read_regular
from geosrseg.runtime.shipped_models import SUFFIX
from geosrseg.training.export import export
from geosrseg.training.train import train

PLAN = "plan.json"
WEIGHTS = ("alpha", "beta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What all experiments have in common.

    Attributes:
        preset: networks and recipe to begin with.
        replaced: values of it that are replaced, see `configure`.
        init_sr: see `train`; ``{n}`` in it stands for the upscale factor.
        init_seg: likewise.
    """

    preset: str
    replaced: Mapping[str, Any] = field(default_factory=dict)
    init_sr: str | None = None
    init_seg: str | None = None

    def init_sr_of(self, experiment: Experiment) -> Path | None:
        """The file that the SR part of an experiment begins with, if it trains one."""
        if self.init_sr is None or experiment.protocol in ("lr", "hr"):
            return None
        return Path(self.init_sr.replace("{n}", str(experiment.upscale_factor)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is being done.

    Attributes:
        number: of the step, from 1.
        steps: how many there are.
        text: what it is, for a reader.
    """

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
    command: str = "",
    callbacks: Callable[[], Sequence[Callback]] = tuple,
    on_step: Callable[[Step], None] = lambda _: None,
) -> Report:
    """Train every experiment, measure all of them on the same pixels, and write the report.

    Args:
        card: the dataset.
        output: the folder; it is made, or continued.
        plan: the experiments.
        budget: what they have in common; the same seed too.
        split: what is measured.
        device: where the models are measured; training takes the best one there is.
        threads: of the CPU, when measuring.
        command: what was typed, for the report.
        callbacks: makes further Lightning callbacks for each training.
        on_step: called before each training and before the measurement.

    Raises:
        RunError: the folder was begun with another dataset, budget or plan; or see `train`.
        GeosrsegError: see `train`, `export` and `evaluate`.
    """
    output, experiments = Path(output), plan.experiments()
    _check_configurations(card, experiments, budget)
    _begin(output, _describe(card, plan, budget))
    for number, experiment in enumerate(experiments, 1):
        on_step(Step(number=number, steps=len(experiments) + 1, text=f"train {experiment.name}"))
        if not _model(output, experiment).is_file():
            _train(card, output, experiment, budget, callbacks=callbacks())
    on_step(Step(number=len(experiments) + 1, steps=len(experiments) + 1, text="evaluate"))
    report = evaluate(
        [_model(output, experiment) for experiment in experiments],
        card,
        split=split,
        baselines=find_baselines(experiments),
        device=device,
        threads=threads,
    )
    report = replace(report, command=command, experiments=experiments)
    write_report(report, output / "report", overwrite=True)
    return report


def _train(
    card: DatasetCard,
    output: Path,
    experiment: Experiment,
    budget: Budget,
    *,
    callbacks: Sequence[Callback],
) -> None:
    """Begin, continue or finish a run, and export it."""
    for folder in ("runs", "models"):
        (output / folder).mkdir(exist_ok=True)
    network, recipe = _configure(card, experiment, budget)
    run = train(
        card,
        output / "runs" / experiment.name,
        network=network,
        recipe=recipe,
        init_sr=budget.init_sr_of(experiment),
        init_seg=budget.init_seg,
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
    """Refuse before the first training what would stop the last one."""
    for experiment in experiments:
        _, recipe = _configure(card, experiment, budget)
        if recipe.devices > 1:
            raise RunError(
                f"{recipe.devices} devices: a reproduction trains on one; train a run in its "
                "folder runs with geosrseg train --devices, and it goes on with that"
            )
        file = budget.init_sr_of(experiment)
        if file is not None and not file.is_file():
            raise RunError(f"{experiment.name}: there is no file {file} to begin with")


def _model(output: Path, experiment: Experiment) -> Path:
    return output / "models" / f"{experiment.name}{SUFFIX}"


def _describe(card: DatasetCard, plan: ExperimentPlan, budget: Budget) -> dict[str, Any]:
    """All that decides what the runs are, as plain values."""
    text = json.dumps({"dataset": card.name, **asdict(plan), **asdict(budget)})
    values: dict[str, Any] = json.loads(text)
    return values


def _begin(output: Path, description: dict[str, Any]) -> None:
    """Make the folder, or see that it is the one to go on with."""
    file = output / PLAN
    if file.exists():
        _check_plan(output, description)
        return
    if output.exists() and not _is_empty(output):
        raise OutputError(f"{output}: is there and is no reproduction: choose another folder")
    try:
        output.mkdir(parents=True, exist_ok=True)
        with open_drafts(file) as drafts:
            text = json.dumps(description, indent=2, ensure_ascii=False)
            (drafts / PLAN).write_text(text + "\n", encoding="utf-8")
            publish([drafts / PLAN], file)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror})") from error


def _is_empty(folder: Path) -> bool:
    """A folder with nothing but what a killed program may have left hidden in it."""
    return folder.is_dir() and all(file.name.startswith(".") for file in folder.iterdir())


def _check_plan(output: Path, description: dict[str, Any]) -> None:
    try:
        found = parse_json(read_regular(output / PLAN, limit=2**22))
        changed = [key for key, value in description.items() if found[key] != value]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{output / PLAN} is no plan of a reproduction: {error}") from error
    if changed:
        key = changed[0]
        raise RunError(
            f"{output} was begun with {key} {found[key]}, not {description[key]}: give the same "
            "options again, or choose another folder"
        )
