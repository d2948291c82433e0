"""``geosrseg predict``: a scene in, a class map out."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options

if TYPE_CHECKING:
    from geosrseg.pipelines.predict import Progress


@click.command()
@click.argument("scene")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The class map to write, a Cloud Optimized GeoTIFF.",
)
@options.model_option
@options.device_option
@options.precision_option
@options.threads_option
@click.option(
    "--bands",
    help='Which band of the scene is which band of the model: "1,2,3" or "green=3,red=4".',
)
@click.option("--scale", type=float, help="Reflectance per digital number.")
@click.option("--offset", type=float, help="Reflectance of digital number 0.")
@options.mask_option
@click.option(
    "--aoi",
    metavar="FILE|BOX",
    help="The part to map: a GeoJSON or GPKG file of polygons, or xmin,ymin,xmax,ymax in the "
    "scene's CRS.",
)
@options.seams_option
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="LR pixels that windows share.  [default: from the model]",
)
@click.option(
    "--window",
    "window_size",
    type=click.IntRange(min=1),
    help="LR pixels of the largest window.  [default: from the model]",
)
@click.option(
    "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Windows run at once."
)
@click.option(
    "--confidence", is_flag=True, help="Also write OUT.confidence.tif: how sure each label is."
)
@click.option("--sr", is_flag=True, help="Also write OUT.sr.tif: the super-resolved image.")
@click.option(
    "--fractions",
    is_flag=True,
    help="Also write OUT.fractions.tif: the share of each class in each pixel of the scene.",
)
@click.option(
    "--quicklook", type=click.Path(path_type=Path), help="Also write a PNG of scene and map."
)
@click.option(
    "--areas",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Also write the area of each class.",
)
@click.option(
    "--vector",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the map's polygons: .gpkg, .fgb, .geojson or .parquet.",
)
@click.option("--min-area", type=float, metavar="M2", help="Polygons below it go to a neighbour.")
@click.option(
    "--simplify", type=float, help="Tolerance of the polygons' borders, in units of the CRS."
)
@options.overwrite_option
@options.json_option
@options.debug_option
def predict(as_json: bool, model: str | None, **arguments: Any) -> None:
    """Make the high-resolution class map of a low-resolution scene.

    SCENE is a GeoTIFF or COG, a Landsat Collection 2 product (its folder or .tar), or the
    product's STAC item (.json); a path, or a URL (https, s3).
    """
    from geosrseg.pipelines.predict import predict as run
    from geosrseg.runtime.shipped_models import DEFAULT_MODEL

    with _progress_bar() as on_progress:
        done = run(
            model=model or DEFAULT_MODEL,
            count_areas=as_json,
            on_progress=on_progress,
            **arguments,
        )
    if as_json:
        areas = done.areas and done.areas.to_json()
        click.echo(json.dumps({**asdict(done), "areas": areas}, default=str))
    else:
        click.echo(f"{done.model} on {done.device}, {done.precision}", err=True)
        click.echo(done.output)


@contextmanager
def _progress_bar() -> Iterator[Callable[["Progress"], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    from tqdm import tqdm

    with tqdm(unit="window", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def show(progress: "Progress") -> None:
            bar.total = progress.windows_total
            bar.update(progress.windows_done - bar.n)
            if rate := bar.format_dict["rate"]:
                speed = rate * progress.target_pixels / 1e6
                bar.set_postfix_str(f"{speed:.2f} HR Mpx/s", refresh=False)

        yield show
