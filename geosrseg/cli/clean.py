"""``geosrseg clean``: what stopped runs have left, listed and removed."""

from pathlib import Path

import click

from geosrseg.cli import options


@click.command()
@click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path()
)
@click.option("--remove", is_flag=True, help="Remove them; those runs can then not go on.")
@options.debug_option
def clean(folder: Path, remove: bool) -> None:
    """List what stopped runs of predict have left, and remove it.

    A run that was stopped keeps its finished rows beside its output until it is run again.
    FOLDER is where the output would have been.
    """
    from geosrseg.raster.maps.row_store import find_stopped_runs, remove_stopped_run

    for stopped in find_stopped_runs(folder):
        state = "running" if stopped.running else "stopped"
        if remove and not stopped.running:
            remove_stopped_run(stopped)
            state = "removed"
        click.echo(
            f"{state}\t{stopped.folder}\t{stopped.scene}\t{stopped.bands} bands\t"
            f"{stopped.size / 1e6:.1f} MB"
        )
