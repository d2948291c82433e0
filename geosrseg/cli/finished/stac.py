"""``geosrseg stac``: the STAC item of a class map."""

from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.map_options import legend_option, map_argument, output_option, scene_option


@click.command()
@map_argument
@output_option("FILE.json")
@scene_option
@legend_option
@options.overwrite_option
@options.debug_option
def stac(
    class_map: Path, output: Path, scene: str | None, legend: Path | None, overwrite: bool
) -> None:
    """Write the STAC item of a class map, its styles and its other layers."""
    from geosrseg.analysis.map_products import stac as run

    run(class_map, output, scene=scene, legend=legend, overwrite=overwrite)
