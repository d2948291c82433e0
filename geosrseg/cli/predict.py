"""``geosrseg predict``: a scene in, a class map out."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.prediction_report import interruption_explained, say, show_summary
from geosrseg.cli.progress import progress_bar

if TYPE_CHECKING:
    from tqdm import tqdm

    from geosrseg.mapping.map_request import MapRequest
    from geosrseg.mapping.predict import Prediction, Progress
    from geosrseg.mapping.predict_scenes import Outcome
    from geosrseg.runtime.session import Session


@click.command()
@click.argument("scenes", metavar="SCENE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="The class map to write, OUT.tif, or a folder for the maps of several scenes.  "
    "[default: SCENE_classes.tif beside each scene]",
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
@click.option(
    "--nodata",
    type=float,
    multiple=True,
    metavar="VALUE",
    help="A digital number that marks missing pixels; may be given several times.",
)
@options.mask_option
@click.option(
    "--aoi",
    metavar="FILE|BOX",
    help="The part to map: a GeoJSON or GPKG file of polygons, or xmin,ymin,xmax,ymax in the "
    "scene's CRS.",
)
@click.option(
    "--any-resolution",
    is_flag=True,
    help="Take a scene whose pixels have a size that the model is not meant for.",
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
    help="LR pixels of the largest window.  [default: what memory allows]",
)
@click.option(
    "--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Windows run at once."
)
@click.option(
    "--max-memory",
    type=options.Bytes(),
    metavar="SIZE",
    help="What the network may take, such as 800M or 4G.  [default: half of what is free]",
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
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Also write a page to look at: swipe, zoom, legend and areas.",
)
@click.option(
    "--stac",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Also write a STAC item of the map and all its files.",
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
@click.option(
    "--plan",
    is_flag=True,
    help="Say what would be done (windows, memory, disk, time), and write nothing.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    default=2**31,
    show_default=True,
    help="Refuse a scene that declares more.",
)
@click.option(
    "--skip-bad-blocks",
    is_flag=True,
    help="Make blocks of the scene that cannot be decoded nodata, rather than fail.",
)
@options.overwrite_option
@options.json_option
@options.debug_option
def predict(
    scenes: tuple[str, ...],
    output: str | None,
    model: str | None,
    device: str,
    precision: str,
    threads: int | None,
    plan: bool,
    overwrite: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Make the high-resolution class map of low-resolution scenes.

    SCENE is a GeoTIFF or COG, a Landsat Collection 2 product (its folder or .tar), or the
    product's STAC item (.json); a path, or a URL (https, s3). Stopped and run again with
    the same arguments, it goes on where it was.
    """
    from geosrseg.runtime.session import open_session
    from geosrseg.runtime.shipped_models import DEFAULT_MODEL

    place = _map_path(scenes, output)
    request = _request(scenes[0], place, count_areas=as_json, **wanted)
    if len(scenes) > 1:
        _check_several(scenes, place, request)
    elif not plan:
        request.check_outputs(overwrite=overwrite)  # before the model takes its time
    with open_session(
        model or DEFAULT_MODEL, device=device, precision=precision, threads=threads
    ) as session:
        if plan:
            _show_plans(scenes, request, session, as_json=as_json)
        elif len(scenes) == 1:
            _map_one(request, session, overwrite=overwrite, as_json=as_json)
        elif not _map_all(scenes, place, request, session, overwrite=overwrite, as_json=as_json):
            raise click.exceptions.Exit(1)


def _map_path(scenes: tuple[str, ...], output: str | None) -> Path | None:
    """The map of a single scene, which has the scene's name where the output is a folder."""
    from geosrseg.mapping.output_names import map_paths
    from geosrseg.raster.files.publication import check_local

    if output is None:
        return None
    path = Path(output)
    check_local(path)
    if len(scenes) == 1 and (path.is_dir() or output.endswith("/")):
        return map_paths(scenes, path)[0]
    return path


def _request(scene: str, output: Path | None, **wanted: Any) -> "MapRequest":
    from geosrseg.mapping.map_request import MapRequest
    from geosrseg.mapping.output_names import default_output
    from geosrseg.products.products import Products

    names = {field.name for field in fields(Products)}
    products = Products(**{name: wanted.pop(name) for name in names & wanted.keys()})
    output = output or default_output(scene)
    return MapRequest(scene=scene, output=output, products=products, **wanted)


def _check_several(scenes: tuple[str, ...], output: Path | None, request: "MapRequest") -> None:
    from geosrseg.mapping.output_names import map_paths

    if request.products.files():
        raise click.UsageError(
            f"{request.products.files()[0]} is a file for one scene, and {len(scenes)} are given"
        )
    map_paths(scenes, output)


def _map_one(request: "MapRequest", session: "Session", *, overwrite: bool, as_json: bool) -> None:
    from geosrseg.mapping.predict import make_map

    with interruption_explained(lambda: request.output), _progress_bar() as on_progress:
        done = make_map(request, session, overwrite=overwrite, on_progress=on_progress)
    try:
        if as_json:
            click.echo(json.dumps(_to_json(done), default=str))
        else:
            show_summary(done)
            click.echo(done.output)
        sys.stdout.flush()
    except OSError as error:
        error.add_note(f"the map is made: {done.output}")
        raise


def _map_all(
    scenes: tuple[str, ...],
    folder: Path | None,
    request: "MapRequest",
    session: "Session",
    *,
    overwrite: bool,
    as_json: bool,
) -> bool:
    """Map one scene after the other and print a table; False if one of them failed."""
    from geosrseg.mapping.output_names import map_paths
    from geosrseg.mapping.predict_scenes import predict_scenes

    outcomes: list[Outcome] = []
    outputs = map_paths(scenes, folder)
    with (
        interruption_explained(
            lambda: outputs[min(len(outcomes), len(outputs) - 1)], before=outcomes
        ),
        _progress_bar() as on_progress,
    ):
        for outcome in predict_scenes(
            scenes,
            folder,
            template=request,
            session=session,
            overwrite=overwrite,
            on_progress=on_progress,
        ):
            outcomes.append(outcome)
            if outcome.error is not None:
                say(f"error: {outcome.error}")
            elif outcome.prediction is not None and not as_json:
                show_summary(outcome.prediction)
    if as_json:
        click.echo(json.dumps({"scenes": [_outcome_to_json(o) for o in outcomes]}, default=str))
    else:
        for outcome in outcomes:
            state = "failed" if outcome.prediction is None else "done"
            click.echo(f"{state}\t{outcome.scene}\t{outcome.output}")
    return all(outcome.error is None for outcome in outcomes)


def _show_plans(
    scenes: tuple[str, ...], request: "MapRequest", session: "Session", *, as_json: bool
) -> None:
    from geosrseg.mapping.prediction_plan import plan_prediction

    plans = [plan_prediction(replace(request, scene=scene), session) for scene in scenes]
    if as_json:
        click.echo(json.dumps({"scenes": [plan.to_json() for plan in plans]}))
        return
    for plan in plans:
        click.echo(
            f"{plan.scene}: a map of {plan.width} x {plan.height} pixels on {plan.device}, "
            f"{plan.precision}\n"
            f"  windows  {plan.windows} of {plan.window_size} pixels with an overlap of "
            f"{plan.overlap}, {plan.skipped} of them without anything to map\n"
            f"  memory   {plan.memory / 2**30:.1f} GiB besides the model\n"
            f"  disk     {plan.disk / 2**30:.1f} GiB at the most\n"
            f"  time     {_duration(plan.seconds)}"
        )


def _duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "none"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes:02} min {seconds:02} s"


def _outcome_to_json(outcome: "Outcome") -> dict[str, Any]:
    done = {} if outcome.prediction is None else _to_json(outcome.prediction)
    failed = None if outcome.error is None else str(outcome.error)
    return {"scene": outcome.scene, **done, "output": outcome.output, "error": failed}


def _to_json(done: "Prediction") -> dict[str, Any]:
    return {**asdict(done), "areas": done.areas and done.areas.to_json()}


@contextmanager
def _progress_bar() -> Iterator[Callable[["Progress"], None]]:
    """A bar of windows for each scene, with the speed in pixels of the map.

    What a run before had finished counts neither for the speed nor for the time left.
    """
    with ExitStack() as stack:
        bar: tqdm | None = None

        def show(progress: "Progress") -> None:
            nonlocal bar
            if bar is None or progress.windows_done == progress.resumed:
                stack.close()  # the bar of the scene before
                bar = stack.enter_context(
                    progress_bar("window", total=progress.windows_total, initial=progress.resumed)
                )
            bar.update(progress.windows_done - bar.n)
            if progress.windows_done == progress.windows_total:
                stack.close()
            if rate := bar.format_dict["rate"]:
                speed = rate * progress.target_pixels / 1e6
                bar.set_postfix_str(f"{speed:.2f} HR Mpx/s", refresh=False)

        yield show
