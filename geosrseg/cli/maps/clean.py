"""``geosrseg clean``: lists and removes the files of stopped runs."""

import time
from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.terminal.sizes import duration


@click.command(cls=Command)
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path()
)
@click.option("--remove", is_flag=True, help="Remove them; those runs then start from scratch.")
@options.debug_option
def clean(folder: Path, remove: bool) -> None:
    """List the files that stopped runs of predict left, or remove them.

    A stopped run keeps its finished strips of windows beside its output until it is run again. A
    killed run may also leave drafts of its products, as may other commands. FOLDER is the folder
    of the output. Each line gives state, output, scene, progress, age and size on disk.
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
