"""``geosrseg assess``: the accuracy of a class map."""

import json
from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.map_options import legend_option, map_argument, output_option


@click.command(cls=Command)
@map_argument
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The true classes: a GeoTIFF on any grid, or points or polygons.",
)
@click.option(
    "--class-column", metavar="NAME", help="Column with the class of each point or polygon."
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CLASS",
    help="Class of the reference to leave out; may be repeated.",
)
@legend_option
@output_option("FILE.csv|.json|.html", required=False)
@options.json_option
@options.overwrite_option
@options.debug_option
def assess(
    class_map: Path,
    reference: Path,
    class_column: str | None,
    ignored: tuple[str, ...],
    legend: Path | None,
    output: Path | None,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Compare a class map with a reference.

    Reports the confusion matrix, producer's and user's accuracy, overall accuracy, kappa and mean
    IoU, and the accuracies and areas weighted by the map's classes, with 95 % intervals
    (Olofsson et al. 2014). The intervals hold for a random sample, such as that of
    `geosrseg sample`, but not for all pixels of a raster.
    """
    from geosrseg.analysis.assess import assess as run
    from geosrseg.analysis.assessment_files import check_assessment, text, write_assessment
    from geosrseg.raster.storage.publication import check_apart

    if output is not None:
        check_assessment(output, overwrite=overwrite)
        check_apart(output, [reference])
    found = run(class_map, reference, class_column=class_column, ignored=ignored, legend=legend)
    if output is not None:
        write_assessment(output, found, title=class_map.name, overwrite=overwrite)
    click.echo(json.dumps(found.to_json()) if as_json else text(found))
