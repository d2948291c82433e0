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
    from geosrseg.core.plain_text import one_line
    from geosrseg.errors import OutputError
    from geosrseg.raster.maps.row_store import find_stopped_runs, remove_stopped_run

    refused = []
    for stopped in find_stopped_runs(folder):
        state = "running" if stopped.running else "stopped"
        if remove and not stopped.running:
            try:
                remove_stopped_run(stopped)
                state = "removed"
            except OutputError as error:
                refused.append(str(error))
        fields = (state, stopped.folder, stopped.scene, f"{stopped.bands} bands")
        shown = [one_line(str(field)) for field in fields]
        click.echo("\t".join([*shown, f"{stopped.size / 1e6:.1f} MB"]))
    if refused:
        raise OutputError("; ".join(refused))
