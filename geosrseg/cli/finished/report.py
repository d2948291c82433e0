"""``geosrseg report``: the page of a class map."""

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
@output_option("FILE.html")
@scene_option
@legend_option
@title_option
@options.overwrite_option
@options.debug_option
def report(
    class_map: Path,
    output: Path,
    scene: str | None,
    legend: Path | None,
    title: str | None,
    overwrite: bool,
) -> None:
    """Write an HTML page of a class map with zoom, legend, areas and a swipe to the scene."""
    from geosrseg.analysis.map_products import report as run

    run(class_map, output, scene=scene, legend=legend, title=title or "", overwrite=overwrite)
