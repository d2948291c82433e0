"""``geosrseg relabel``: a class map with other classes."""

from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.map_options import map_argument, output_option


@click.command()
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
def relabel(
    class_map: Path,
    output: Path,
    legend: Path | None,
    clip: Path | None,
    min_area: float | None,
    min_confidence: int | None,
    max_doubt: int | None,
    confidence: Path | None,
    overwrite: bool,
) -> None:
    """Merge, rename or recolour a map's classes, drop small patches, or clip it."""
    from geosrseg.analysis.relabel import relabel as run

    run(
        class_map,
        output,
        legend=legend,
        clip=clip,
        min_area=min_area,
        min_confidence=min_confidence,
        max_doubt=max_doubt,
        confidence=confidence,
        overwrite=overwrite,
    )
