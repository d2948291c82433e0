"""``geosrseg quicklook``: the picture of a class map."""

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
@output_option("FILE.png")
@scene_option
@legend_option
@title_option
@options.overwrite_option
@options.debug_option
def quicklook(**arguments: Any) -> None:
    """Draw a class map with its legend, and the scene beside it."""
    from geosrseg.analysis.map_products import quicklook as run

    run(**arguments)
