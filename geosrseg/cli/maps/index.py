"""``geosrseg index``: the maps of a folder as one layer."""

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.terminal.prediction_report import say


@click.command(cls=Command)
@click.argument("folder", metavar="DIR|s3://...")
@options.debug_option
def index(folder: str) -> None:
    """Build one layer and one STAC collection from the maps in a folder.

    Writes collection.json; index.gti.gpkg, a tile index that GDAL 3.9 and later, and QGIS with it,
    opens as one raster; and index-EPSG-....vrt, one per CRS, for older versions. The maps need
    their STAC items: run writes them, and predict with --stac. Where several maps have a class,
    the latest is on top. Repeat the command when there are new maps; run does so at its end.
    """
    from geosrseg.batch.index_archive import index_archive

    if not folder:
        raise click.UsageError("the folder has an empty name: expected DIR or s3://...")
    found = index_archive(folder)
    for text in found.left_out:
        say(f"warning: {text}")
    for name in found.files:
        click.echo(f"{found.folder}/{name}")
