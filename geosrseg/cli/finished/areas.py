"""``geosrseg areas``: the area of each class, per zone."""

import json
from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import legend_option, map_argument, output_option
from geosrseg.core.text.plain_text import plain_lines


@click.command(cls=Command)
@map_argument
@click.option(
    "--zones", type=click.Path(path_type=Path), metavar="FILE",
    help="Polygons to measure in, in any CRS.  [default: the whole map]",
)  # fmt: skip
@click.option(
    "--zone-column", metavar="NAME", help="Column that names the zones.  [default: numbers]"
)
@legend_option
@output_option("FILE.csv", required=False)
@options.json_option
@options.overwrite_option
@options.debug_option
def areas(
    class_map: Path,
    zones: Path | None,
    zone_column: str | None,
    legend: Path | None,
    output: Path | None,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Measure the ground area of each class, in the whole map or per zone.

    Areas are geodesic, on the ellipsoid, in every CRS. A pixel belongs to the zone that contains
    its centre.
    """
    from geosrseg.analysis.zonal_areas import (
        SUFFIXES,
        format_zones,
        write_zonal_areas,
        zonal_areas,
    )
    from geosrseg.raster.storage.publication import check_apart, check_output

    if output is not None:
        check_output(output, suffixes=SUFFIXES, overwrite=overwrite)
        check_apart(output, [zones])
    found = zonal_areas(class_map, zones=zones, zone_column=zone_column, legend=legend)
    if output is not None:
        write_zonal_areas(output, found, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps([{"zone": z.zone, **z.areas.to_json()} for z in found]))
    elif output is None:
        click.echo(plain_lines(format_zones(found)))
