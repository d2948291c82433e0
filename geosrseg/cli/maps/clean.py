"""``geosrseg clean``: what stopped runs have left, listed and removed."""

import time
from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.terminal.prediction_report import duration


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path()
)
@click.option("--remove", is_flag=True, help="Remove them; those runs then start again.")
@options.debug_option
def clean(folder: Path, remove: bool) -> None:
    """List what stopped runs of predict have left, and remove it.

    A run that was stopped keeps its finished strips of windows beside its output until it is
    run again. One that was killed may leave drafts of its products, as other commands do. FOLDER is
    where the output would have been. A line for each: its state, its output, its scene, how much
    is done, how long ago, and what it takes on the disk.
    """
    from geosrseg.core.text.plain_text import one_line
    from geosrseg.errors import OutputError
    from geosrseg.raster.maps.stopped_runs import StoppedRun, find_stopped_runs
    from geosrseg.raster.storage.left_drafts import LeftDrafts, find_left_drafts

    runs: list[StoppedRun | LeftDrafts] = [*find_stopped_runs(folder), *find_left_drafts(folder)]
    refused = []
    if not runs:
        click.echo(f"no stopped run of predict in {folder}", err=True)
    for stopped in runs:
        state = "running" if stopped.running else "stopped"
        if remove and not stopped.running:
            try:
                stopped.remove()
                state = "removed"
            except OutputError as error:
                refused.append(str(error))
        ago = f"{duration(max(time.time() - stopped.modified, 0))} ago"
        fields = (state, stopped.output, stopped.scene, stopped.progress, ago)
        shown = [one_line(str(field)) for field in fields]
        click.echo("\t".join([*shown, f"{stopped.size / 1e6:.1f} MB"]))
    if refused:
        raise OutputError("; ".join(refused))
