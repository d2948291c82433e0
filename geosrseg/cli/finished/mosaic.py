"""``geosrseg mosaic``: one class map of several."""

from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.map_options import dates_option, maps_argument, output_option


@click.command()
@maps_argument
@output_option("OUT.tif")
@click.option(
    "--rule",
    type=click.Choice(["order", "date", "confidence", "probabilities"]),
    default="order",
    show_default=True,
    help="What wins where several maps have a class: the first map, the latest, the surest, or the "
    "class with the highest mean probability.",
)
@click.option("--crs", metavar="CRS", help="Of the mosaic, EPSG:32636.  [default: the first map's]")
@click.option(
    "--res", type=float, metavar="N",
    help="Side of a pixel in units of the CRS.  [default: the first map's]",
)  # fmt: skip
@dates_option
@options.overwrite_option
@options.debug_option
def mosaic(
    maps: tuple[Path, ...],
    output: Path,
    rule: str,
    crs: str | None,
    res: float | None,
    dates: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Make one Cloud Optimized GeoTIFF of class maps that overlap or lie side by side.

    The maps need one legend. Nodata never wins over a class. Maps on the pixels of the first
    one are copied; others take the nearest pixel. The rules confidence and probabilities need
    predict's layer of that name beside each map, and write OUT.confidence.tif too.
    """
    from geosrseg.analysis.mosaic import mosaic as run
    from geosrseg.cli.map_options import read_dates

    run(maps, output, rule=rule, crs=crs, res=res, dates=read_dates(dates), overwrite=overwrite)
