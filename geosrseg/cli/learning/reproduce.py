"""``geosrseg reproduce``: runs the paper's experiments on a dataset and reports them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.dataset_options import data_option, dataset_option
from geosrseg.cli.device_option import device_option
from geosrseg.cli.fields import field_option, taken
from geosrseg.cli.learning.evaluate import format_interval, format_report
from geosrseg.cli.learning.train import training_progress
from geosrseg.cli.recipe_options import Values, budget_options, preset_option
from geosrseg.cli.terminal.table import format_table
from geosrseg.training.starting.start import Start
from geosrseg.training.surroundings import Surroundings

if TYPE_CHECKING:
    from geosrseg.evaluation.reproducing.paired import Pair


@click.command(cls=Command)
@dataset_option
@data_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder to create or resume.",
)
@click.option(
    "--protocols",
    type=Values(click.Choice(["end-to-end", "two-stage", "lr", "hr"])),
    default="end-to-end,two-stage,lr,hr",
    metavar="NAME,...",
    show_default=True,
    help="Protocols to train.",
)
@click.option(
    "--upscale",
    "upscale_factors",
    type=Values(click.Choice([2, 3, 4, 8])),
    default="4,8",
    metavar="N,...",
    show_default=True,
    help="Upscale factors.",
)
@click.option(
    "--alpha",
    "alphas",
    type=Values(click.FloatRange(min=0)),
    default=(),
    metavar="N,...",
    help="Weights of the reconstruction loss; with several, every pair with a --beta is trained.",
)
@click.option(
    "--beta",
    "betas",
    type=Values(click.FloatRange(min=0)),
    default=(),
    metavar="N,...",
    help="Weights of the segmentation loss.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trainings per arm, with seeds from --seed upwards; arms of one seed are paired.",
)
@click.option(
    "--levers",
    type=Values(click.STRING),
    default=(),
    metavar="NAME,...",
    help="Levers to train in further arms: teacher, task, warm-up; NAME+NAME combines two.",
)
@preset_option
@budget_options
@click.option(
    "--init-sr",
    metavar="FILE",
    help="Published D-DBPN weights to start from; {n} in the name is the upscale factor.",
)
@field_option(Start, "init_seg")
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="test",
    show_default=True,
    help="The part of the dataset to measure on.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trainings to run at once, all on one device.",
)
@field_option(Surroundings, "workers")
@device_option
@options.threads_option
@options.debug_option
def reproduce(
    dataset: str,
    data: Path | None,
    output: Path,
    preset: str,
    init_sr: str | None,
    init_seg: str | None,
    split: str,
    device: str,
    threads: int | None,
    jobs: int,
    workers: int | None,
    **replaced: Any,
) -> None:
    """Train the paper's protocols on a dataset and compare them.

    All share one budget and the same seeds. A stopped run resumes when the command is repeated
    with the same options.
    """
    with options.extra("train"):
        from geosrseg.datasets.datasets import read_dataset
        from geosrseg.evaluation.experiment import ExperimentPlan
        from geosrseg.evaluation.reproducing.paired import pair_arms
        from geosrseg.evaluation.reproducing.reproduce import Budget
        from geosrseg.evaluation.reproducing.reproduce import reproduce as run

    plan = taken(ExperimentPlan, replaced)
    report = run(
        read_dataset(dataset, data=data),
        output,
        plan=plan,
        budget=Budget(
            preset=preset,
            replaced={name: value for name, value in replaced.items() if value is not None},
            init_sr=init_sr,
            init_seg=init_seg,
        ),
        split=split,
        device=device,
        threads=threads,
        jobs=jobs,
        workers=workers,
        command=options.typed_command(),
        callbacks=lambda: training_progress(preset),
        on_step=lambda step: click.echo(f"{step.number}/{step.steps} {step.text}", err=True),
    )
    click.echo(format_report(report))
    if plan.seeds > 1:
        click.echo(f"\n{format_pairs(pair_arms(report))}")
    click.echo(f"\n{output / 'report' / 'report.html'}")


def format_pairs(pairs: "Sequence[Pair]") -> str:
    """The differences between the arms, as a Markdown table."""
    head = ["arm", "compared with", "figure", "difference", "of the room", "seeds needed"]
    rows = [
        [
            pair.arm,
            pair.baseline,
            pair.figure,
            format_interval(pair.difference, sign="+"),
            "–" if pair.share is None else format_interval(pair.share),
            f"{pair.seeds_needed:.0f}" if math.isfinite(pair.seeds_needed) else "–",
        ]
        for pair in pairs
    ]
    return format_table([head, *rows])
