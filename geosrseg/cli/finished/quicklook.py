"""``geosrseg quicklook``: the picture of a class map."""

from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.map_options import (
    legend_option,
    map_argument,
    output_option,
    scene_option,
    title_option,
)


@click.command()
@map_argument
@output_option("FILE.png")
@scene_option
@legend_option
@title_option
@options.overwrite_option
@options.debug_option
def quicklook(
    class_map: Path,
    output: Path,
    scene: str | None,
    legend: Path | None,
    title: str | None,
    overwrite: bool,
) -> None:
    """Draw a class map with its legend, and the scene beside it."""
    from geosrseg.analysis.map_products import quicklook as run

    run(class_map, output, scene=scene, legend=legend, title=title or "", overwrite=overwrite)
