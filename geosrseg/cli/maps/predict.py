"""``geosrseg predict``: a scene in, a class map out."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.device_option import device_option
from geosrseg.cli.fields import file_options, group_options, layer_options, products_listed
from geosrseg.cli.map_options import title_option
from geosrseg.cli.terminal.prediction_bar import PredictionBar
from geosrseg.cli.terminal.prediction_report import interruption_explained, kept, say, show_summary
from geosrseg.cli.terminal.sizes import duration
from geosrseg.cli.wording import in_words_of_command
from geosrseg.core.text.plain_text import plain_lines
from geosrseg.mapping.layers.layers import CLASSES, LAYERS
from geosrseg.mapping.windowing import Windowing
from geosrseg.products.products import NAME, PRODUCTS
from geosrseg.raster.reading import Reading
from geosrseg.raster.storage.location import Location

if TYPE_CHECKING:
    from geosrseg.mapping.planning.prediction_plan import PredictionPlan
    from geosrseg.mapping.prediction import Outcome


@products_listed
@click.command(cls=Command)
@click.argument("scenes", metavar="SCENE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="The class map to write, OUT.tif, or a folder for the maps of several scenes, created "
    "if missing.  [default: SCENE_classes.tif beside each scene]",
)
@options.model_option
@device_option
@options.precision_option
@options.threads_option
@group_options(Reading, Windowing)
@layer_options(LAYERS, without=CLASSES)
@options.merge_option
@file_options(PRODUCTS)
@title_option
@click.option(
    "--plan",
    is_flag=True,
    help="Show what would be done (windows, memory, disk, time) and write nothing.",
)
@options.overwrite_option
@click.option("--skip-existing", is_flag=True, help="Skip scenes whose map already exists.")
@options.json_option
@options.debug_option
def predict(
    scenes: tuple[str, ...],
    output: str | None,
    plan: bool,
    overwrite: bool,
    skip_existing: bool,
    as_json: bool,
    **named: Any,
) -> None:
    """Make high-resolution class maps of low-resolution scenes.

    SCENE is the path of a GeoTIFF, a COG or a product listed below; files and STAC items can
    also be URLs (https, s3). A stopped run resumes when the same command is given again.
    """
    from geosrseg.mapping.output_names import default_output, is_made, make_folder
    from geosrseg.raster.sensors.parts import one_part_each

    if overwrite and skip_existing:
        raise click.UsageError("--skip-existing and --overwrite exclude each other: leave one out")
    scenes = tuple(one_part_each(scenes))
    _check_templates(scenes, named)
    session = {name: named.pop(name) for name in ("model", "device", "precision", "threads")}
    # The library has the defaults of options that were not given.
    named = {name: value for name, value in named.items() if value is not None}
    place = _map_path(scenes, output)
    if plan:
        _show_plans(scenes, session, named, as_json=as_json)
    elif len(scenes) == 1:
        made = place or default_output(scenes[0])
        if skip_existing and is_made(made):
            _show_skipped(str(Location.of(scenes[0])), made, as_json=as_json)
            return
        if _is_folder(output):
            make_folder(made.parent)
        _map_one(scenes[0], made, {**session, **named}, overwrite=overwrite, as_json=as_json)
    else:
        once = {"overwrite": overwrite, "skip_existing": skip_existing}
        _map_all(scenes, place, {**session, **once, **named}, as_json=as_json)


def _map_path(scenes: tuple[str, ...], output: str | None) -> Path | None:
    """The path of a single scene's map, named after the scene if the output is a folder."""
    from geosrseg.mapping.output_names import map_paths
    from geosrseg.raster.storage.publication import check_local

    if output is None:
        return None
    path = Path(output)
    check_local(path)
    if len(scenes) == 1 and (path.is_dir() or _is_folder(output)):
        return map_paths(scenes, path)[0]
    return path


def _check_templates(scenes: tuple[str, ...], named: dict[str, Any]) -> None:
    for product in PRODUCTS.names:
        path = named[product]
        if len(scenes) > 1 and path is not None and NAME not in str(path):
            raise click.UsageError(
                f"--{product} {path} is one file for {len(scenes)} scenes: put {NAME} in its name "
                f"for the name of each scene, such as {path.with_stem(f'{path.stem}-{NAME}')}"
            )


def _is_folder(output: str | None) -> bool:
    return output is not None and output.endswith("/")


def _show_skipped(scene: str, made: Path, *, as_json: bool) -> None:
    from geosrseg.mapping.prediction import Outcome

    if as_json:
        click.echo(json.dumps(Outcome(scene, made, None, None).to_json()))
        return
    say(_skipped(scene))
    click.echo(made)


def _skipped(scene: str) -> str:
    return f"skipped {scene}: its map already exists"


def _map_one(
    scene: str, made: Path, named: dict[str, Any], *, overwrite: bool, as_json: bool
) -> None:
    from geosrseg.mapping.predict import predict as run

    with interruption_explained(lambda: kept(made)), PredictionBar() as bar:
        done = run(
            scene,
            made,
            overwrite=overwrite,
            on_progress=bar.show,
            count_areas=as_json,
            **named,
        )
    try:
        if as_json:
            click.echo(json.dumps(done.to_json()))
        else:
            show_summary(done)
            click.echo(done.output)
        sys.stdout.flush()
    except OSError as error:
        error.add_note(f"the map is made: {done.output}")
        raise


def _map_all(
    scenes: tuple[str, ...], output: Path | None, named: dict[str, Any], *, as_json: bool
) -> None:
    """Map the scenes in turn and print a table; exit with 1 if any of them failed."""
    from geosrseg.mapping.output_names import map_paths
    from geosrseg.mapping.predict import predict as run

    outcomes: list[Outcome] = []
    outputs = map_paths(scenes, output)

    def show(outcome: "Outcome") -> None:
        outcomes.append(outcome)
        bar.close()
        if outcome.error is not None:
            say(f"error: {in_words_of_command(str(outcome.error))}")
        elif outcome.prediction is None:
            say(_skipped(outcome.scene))
        elif not as_json:
            show_summary(outcome.prediction)

    with (
        interruption_explained(
            lambda: kept(outputs[min(len(outcomes), len(outputs) - 1)], outcomes)
        ),
        PredictionBar() as bar,
    ):
        run(
            list(scenes),
            output,
            on_progress=bar.show,
            on_outcome=show,
            count_areas=as_json,
            **named,
        )
    if as_json:
        click.echo(json.dumps({"scenes": [outcome.to_json() for outcome in outcomes]}))
    else:
        for outcome in outcomes:
            click.echo(plain_lines(f"{outcome.state}\t{outcome.scene}\t{outcome.output}"))
    if any(outcome.error is not None for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _show_plans(
    scenes: tuple[str, ...], session: dict[str, Any], named: dict[str, Any], *, as_json: bool
) -> None:
    from geosrseg.mapping.model import open_model

    with open_model(session.pop("model"), **session) as model:
        plans = [model.plan(scene, **named) for scene in scenes]
    if as_json:
        click.echo(json.dumps({"scenes": [plan.to_json() for plan in plans]}))
        return
    for plan in plans:
        click.echo(_described(plan))


def _described(plan: "PredictionPlan") -> str:
    return (
        f"{plan.scene}: a map of {plan.width} x {plan.height} pixels on {plan.device}, "
        f"{plan.precision}\n"
        f"  windows  {plan.windows} of {plan.window_size} pixels with an overlap of "
        f"{plan.overlap}, {plan.skipped} of them with nothing to map\n"
        f"  memory   {plan.memory / 2**30:.1f} GiB besides the model\n"
        f"  disk     {plan.disk / 2**30:.1f} GiB at most\n"
        f"  time     {f'about {duration(plan.seconds)}' if math.isfinite(plan.seconds) else 'none'}"
    )
