"""``geosrseg quicklook``: the picture of a class map."""

from typing import Any

import click

from geosrseg.cli import map_options, options
from geosrseg.cli.command import Command


@click.command(cls=Command)
@map_options.map_argument
@map_options.output_option("FILE.png")
@map_options.scene_option
@map_options.legend_option
@map_options.title_option
@options.overwrite_option
@options.debug_option
def quicklook(**arguments: Any) -> None:
    """Draw a class map with its legend, and the scene beside it."""
    from geosrseg.analysis.map_products import quicklook as run

    run(**arguments)
