"""``geosrseg vectorize``: the polygons of a class map."""

from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import legend_option, map_argument, output_option


@click.command(cls=Command)
@map_argument
@output_option("FILE.gpkg|.fgb|.parquet|.geojson")
@click.option(
    "--min-area", type=float, metavar="M2",
    help="Merge smaller polygons into their largest neighbour.",
)  # fmt: skip
@click.option(
    "--simplify", type=float, metavar="T",
    help="Tolerance for simplifying borders, in units of the CRS; neighbours still share them.",
)  # fmt: skip
@legend_option
@options.overwrite_option
@options.debug_option
def vectorize(**arguments: Any) -> None:
    """Write the polygons of a class map, with their areas.

    With a confidence layer beside the map, MAP.confidence.tif, each polygon also gets its mean
    confidence and doubt.
    """
    from geosrseg.analysis.vectorize import vectorize as run

    run(**arguments)
