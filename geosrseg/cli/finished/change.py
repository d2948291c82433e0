"""``geosrseg change``: changes between class maps of several dates."""

import json
from datetime import date
from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import dates_option, maps_argument, output_option


@click.command(cls=Command)
@maps_argument
@output_option("OUT.tif", required=False)
@click.option(
    "--areas", type=click.Path(path_type=Path), metavar="FILE.csv",
    help="Also write the areas per date and the transitions between classes, in hectares.",
)  # fmt: skip
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE.html|.json",
    help="Also write them as a page with a chart, or as JSON.",
)  # fmt: skip
@dates_option
@options.json_option
@options.overwrite_option
@options.debug_option
def change(
    maps: tuple[Path, ...],
    output: Path | None,
    areas: Path | None,
    report: Path | None,
    dates: tuple[date, ...],
    as_json: bool,
    overwrite: bool,
) -> None:
    """Compare class maps of one place at several dates.

    Dates are read from the names of the maps and of their scenes. With confidence layers beside
    two maps (predict --confidence), a change whose two labels are together less than half certain
    is marked as doubtful, because even two good maps differ by their errors.
    """
    from geosrseg.analysis.change import change as run
    from geosrseg.analysis.change_files import (
        REPORT_SUFFIXES,
        TABLE_SUFFIXES,
        change_text,
        write_change_report,
        write_change_table,
    )
    from geosrseg.raster.storage.publication import check_output

    for path, suffixes in ((areas, TABLE_SUFFIXES), (report, REPORT_SUFFIXES)):
        if path is not None:
            check_output(path, suffixes=suffixes, overwrite=overwrite)
    found = run(maps, output, dates=dates, overwrite=overwrite)
    if areas is not None:
        write_change_table(areas, found, overwrite=overwrite)
    if report is not None:
        write_change_report(report, found, overwrite=overwrite)
    click.echo(json.dumps(found.to_json()) if as_json else change_text(found))
