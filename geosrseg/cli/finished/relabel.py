"""``geosrseg relabel``: a class map with other classes."""

from pathlib import Path
from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import map_argument, output_option


@click.command(cls=Command)
@map_argument
@output_option("OUT.tif")
@click.option(
    "--legend", type=click.Path(path_type=Path), metavar="FILE.toml",
    help="The new classes: [[classes]] with id, name, colour, and from = [ids or names].",
)  # fmt: skip
@click.option(
    "--clip", type=click.Path(path_type=Path), metavar="FILE", help="Polygons to clip the map to."
)
@click.option(
    "--min-area", type=float, metavar="M2",
    help="Merge smaller patches into their largest neighbour.",
)  # fmt: skip
@click.option(
    "--min-confidence", type=click.IntRange(0, 100), metavar="PERCENT",
    help="Make pixels with less confidence nodata; needs the confidence layer.",
)  # fmt: skip
@click.option(
    "--max-doubt", type=click.IntRange(0, 100), metavar="PERCENT",
    help="Make pixels with more doubt (near unknown ground) nodata; needs the confidence layer.",
)  # fmt: skip
@click.option(
    "--confidence", type=click.Path(path_type=Path), metavar="FILE",
    help="The confidence layer.  [default: MAP.confidence.tif]",
)  # fmt: skip
@options.overwrite_option
@options.debug_option
def relabel(**arguments: Any) -> None:
    """Merge, rename or recolour a map's classes, drop small patches, or clip it."""
    from geosrseg.analysis.relabel import relabel as run

    run(**arguments)
