"""``geosrseg report``: the page of a class map."""

from typing import Any

import click

from geosrseg.cli import map_options, options
from geosrseg.cli.command import Command


@click.command(cls=Command)
@map_options.map_argument
@map_options.output_option("FILE.html")
@map_options.scene_option
@map_options.legend_option
@map_options.title_option
@options.overwrite_option
@options.debug_option
def report(**arguments: Any) -> None:
    """Write an HTML page of a class map with zoom, legend, areas and a swipe to the scene."""
    from geosrseg.analysis.map_products import report as run

    run(**arguments)
