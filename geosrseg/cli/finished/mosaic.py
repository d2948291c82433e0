"""``geosrseg mosaic``: several class maps merged into one."""

from pathlib import Path
from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import dates_option, maps_argument, output_option


@click.command(cls=Command)
@maps_argument
@output_option("OUT.tif")
@click.option(
    "--rule",
    type=click.Choice(["order", "date", "confidence", "probabilities"]),
    default="order",
    show_default=True,
    help="What wins where several maps have a class: the first map, the latest, the most "
    "confident, or the class with the highest mean probability.",
)
@click.option(
    "--crs",
    metavar="CRS",
    help="CRS of the mosaic, such as EPSG:32636.  [default: the first map's]",
)
@click.option(
    "--res", type=float, metavar="N",
    help="Pixel size in units of the CRS.  [default: the first map's]",
)  # fmt: skip
@dates_option
@options.overwrite_option
@options.debug_option
def mosaic(maps: tuple[Path, ...], output: Path, **arguments: Any) -> None:
    """Merge overlapping or adjacent class maps into one Cloud Optimized GeoTIFF.

    All maps must have the same legend. Nodata never wins over a class. Maps on the pixel grid of
    the first map are copied, others are resampled to the nearest pixel. The rules confidence and
    probabilities need the layer of that name, from predict, beside each map, and also write
    OUT.confidence.tif.
    """
    from geosrseg.analysis.mosaic import mosaic as run

    run(maps, output, **arguments)
