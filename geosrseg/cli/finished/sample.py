"""``geosrseg sample``: a random sample of points to interpret."""

from pathlib import Path
from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import legend_option, map_argument, output_option


@click.command(cls=Command)
@map_argument
@click.option(
    "-n", "points", type=click.IntRange(min=1), default=500, show_default=True,
    help="Total number of points.",
)  # fmt: skip
@click.option(
    "--allocation",
    type=click.Choice(["proportional", "equal"]),
    default="proportional",
    show_default=True,
    help="Points per class: in proportion to its pixels but at least --least, or equal.",
)
@click.option(
    "--least", type=click.IntRange(min=0), default=50, show_default=True,
    help="Minimum number of points per class.",
)  # fmt: skip
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the random points.",
)
@legend_option
@output_option("FILE.gpkg|.fgb|.geojson")
@options.overwrite_option
@options.debug_option
def sample(class_map: Path, output: Path, legend: Path | None, **arguments: Any) -> None:
    """Draw a stratified random sample of points from a class map.

    The file does not show the map's class. Fill its column `reference` with the class that you see
    at each point, as an id or a name, then run
    geosrseg assess MAP --reference FILE --class-column reference
    """
    from geosrseg.analysis.sample import sample as run
    from geosrseg.raster.maps.class_map import open_class_map

    drawn = run(class_map, output, legend=legend, **arguments)
    names = {item.id: item.name for item in open_class_map(class_map, legend=legend).legend.classes}
    click.echo(f"{output}: {sum(drawn.values())} points", err=True)
    for value, count in drawn.items():
        click.echo(f"  {value} {names[value]}: {count}", err=True)
