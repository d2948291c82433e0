"""``geosrseg stac``: the STAC item of a class map."""

from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import legend_option, map_argument, output_option, scene_option


@click.command(cls=Command)
@map_argument
@output_option("FILE.json")
@scene_option
@legend_option
@options.overwrite_option
@options.debug_option
def stac(**arguments: Any) -> None:
    """Write the STAC item of a class map, its styles and its other layers."""
    from geosrseg.analysis.map_products import stac as run

    run(**arguments)
