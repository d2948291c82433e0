"""``geosrseg train``: trains a network on a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.dataset_options import data_option, dataset_option
from geosrseg.cli.fields import group_options, taken
from geosrseg.cli.recipe_options import given_options, preset_option, recipe_options
from geosrseg.datasets.folds.fold import Fold
from geosrseg.errors import RunError
from geosrseg.training.starting.start import Start
from geosrseg.training.surroundings import Surroundings

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback

    from geosrseg.datasets.card.card import DatasetCard


@click.command(cls=Command)
@dataset_option
@data_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="The run folder to create; with --check, the page to write, PAGE.html.  "
    "[default: runs/DATASET-PROTOCOL-FACTORx]",
)
@click.option(
    "--protocol",
    type=click.Choice(["end-to-end", "two-stage", "lr", "hr"]),
    default="end-to-end",
    show_default=True,
    help="Train both parts together, one after the other, or only the segmentation, on the "
    "bicubic (lr) or the native image (hr).",
)
@click.option(
    "--upscale",
    type=click.Choice([2, 3, 4, 8]),
    default=4,
    show_default=True,
    help="Upscale factor.",
)
@preset_option
@recipe_options
@group_options(Fold)
@group_options(Start)
@click.option(
    "--teacher",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Finished run of protocol hr whose soft labels the network also learns.",
)
@group_options(Surroundings)
@click.option("--resume", is_flag=True, help="Resume where this command was stopped, or start.")
@click.option("--check", is_flag=True, help="Describe the data, and do nothing else.")
@options.overwrite_option
@options.debug_option
def train(
    dataset: str,
    data: Path | None,
    output: Path | None,
    protocol: str,
    upscale: int,
    preset: str,
    teacher: Path | None,
    resume: bool,
    check: bool,
    overwrite: bool,
    **replaced: Any,
) -> None:
    """Train a network on a dataset.

    A preset sets the networks and every value of the recipe; each option from --alpha to
    --logits-block replaces one of them.
    """
    with options.extra("train"):
        from lightning.pytorch.utilities import rank_zero_only

        from geosrseg.datasets.datasets import read_dataset
        from geosrseg.datasets.folds.folded_card import fold_card
        from geosrseg.networks.presets import configure
        from geosrseg.training.run_folder.run import default_run
        from geosrseg.training.train import train as run

    start, surroundings = taken(Start, replaced), taken(Surroundings, replaced)
    fold = taken(Fold, replaced)
    given = given_options(replaced, protocol=protocol)
    if resume and overwrite:
        raise click.UsageError("--resume continues a run that --overwrite would delete")
    card = fold_card(read_dataset(dataset, data=data), fold)
    if check:
        _check(card, output, overwrite=overwrite)
        return
    try:
        network, recipe = configure(
            preset,
            protocol=protocol,
            bands=len(card.bands),
            classes=len(card.legend),
            upscale_factor=1 if protocol == "hr" else upscale,
            replaced=given,
        )
    except ValueError as error:
        raise RunError(str(error)) from error
    done = run(
        card,
        output or default_run(card, network),
        network=network,
        recipe=recipe,
        start=start,
        teacher=teacher,
        resume=resume,
        overwrite=overwrite,
        callbacks=training_progress(preset),
        on_checked=lambda found: click.echo("\n".join(found.lines()), err=True),
        surroundings=surroundings,
    )
    rank_zero_only(click.echo)(done.path)  # with several devices, each process gets here


def _check(card: "DatasetCard", page: Path | None, *, overwrite: bool) -> None:
    """Print a description of the data, and write it as a page if a path is given."""
    from geosrseg.datasets.check.data_check import check_dataset
    from geosrseg.training.data_page import write_data_page

    found = check_dataset(card)
    click.echo("\n".join([*found.lines(), "", "What the values suggest:", *found.band_lines()]))
    if page:
        write_data_page(found, page, overwrite=overwrite)
        click.echo(page)


def training_progress(preset: str) -> list["Callback"]:
    """Callbacks that show the progress of a training with this preset."""
    from geosrseg.cli.terminal.training_progress import TrainingProgress

    return [TrainingProgress(shorter="" if preset == "slim" else "--preset slim, ")]
