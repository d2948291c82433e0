"""``geosrseg runs``: lists training runs and their progress."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.terminal.sizes import duration
from geosrseg.core.text.plain_text import one_line

if TYPE_CHECKING:
    from geosrseg.training.run_folder.run_list import ListedRun

HEADS = ("run", "state", "epochs", "best mean IoU", "age", "data", "recipe")


@click.command(cls=Command)
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path), default="runs")
@options.json_option
@options.debug_option
def runs(folder: Path, as_json: bool) -> None:
    """List the training runs in a folder, ./runs by default.

    A run is running, finished, stopped (train --resume continues it) or damaged. The best mean
    IoU is the highest of any epoch's validation; that of the model may be higher, because class
    offsets are fitted at the end. The mean over the folds of each cross-validation follows.
    """
    with options.extra("train"):
        from geosrseg.training.run_folder.cross_validation import summaries
        from geosrseg.training.run_folder.run_list import list_runs

    found = list_runs(folder)
    if as_json:
        click.echo(json.dumps([run.to_json() for run in found], ensure_ascii=False))
    elif not found:
        click.echo(f"no training run in {folder}", err=True)
    else:
        click.echo(format_runs(found, folder, now=time.time()))
        for series in summaries(found):
            click.echo(f"\n{series}")


def format_runs(found: "list[ListedRun]", folder: Path, *, now: float) -> str:
    """One line per run, in aligned columns."""
    rows = [HEADS, *(_row(run, folder, now) for run in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(run: "ListedRun", folder: Path, now: float) -> tuple[str, ...]:
    path = Path(run.path)
    age = duration(max(now - run.changed, 0))
    name = str(path.relative_to(folder)) if path != folder else str(folder)
    if run.problem:
        cells = [name, run.state, "", "", age, "", run.problem]
        return tuple(map(one_line, cells))
    recipe = f"{run.protocol} {run.upscale_factor}x, {run.network}"
    best = "" if run.best is None else f"{run.best:.3f}"
    epochs = f"{run.done}/{run.epochs}"
    if run.fold:
        recipe += ", fold {} of {}".format(*run.fold)
    cells = [name, run.state, epochs, best, age, run.dataset, recipe]
    return tuple(map(one_line, cells))
