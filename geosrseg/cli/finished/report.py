"""``geosrseg report``: the page of a class map."""

from typing import Any

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
def report(**arguments: Any) -> None:
    """Write an HTML page of a class map with zoom, legend, areas and a swipe to the scene."""
    from geosrseg.analysis.map_products import report as run

    run(**arguments)
