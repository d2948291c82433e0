"""``geosrseg plan``: writes the work file for many scenes, with their costs."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.device_option import device_option
from geosrseg.cli.fields import group_options, layer_options
from geosrseg.cli.terminal.sizes import duration
from geosrseg.cli.terminal.work_report import said_of
from geosrseg.core.text.counted import counted
from geosrseg.core.text.plain_text import one_line
from geosrseg.mapping.layers.layers import CLASSES, LAYERS
from geosrseg.mapping.windowing import Windowing
from geosrseg.products.products import PRODUCTS
from geosrseg.raster.reading import Reading

if TYPE_CHECKING:
    from geosrseg.batch.plan_work import PlannedScene, WorkPlan


@click.command(cls=Command)
@click.argument("scenes", metavar="SCENE...", nargs=-1, required=True)
@click.option(
    "--output-folder",
    metavar="DIR|s3://...",
    required=True,
    help="Where the maps go: a folder, or a prefix in an object store.",
)
@click.option(
    "-o",
    "--output",
    metavar="WORK.jsonl",
    type=click.Path(path_type=Path),
    required=True,
    help="The work file to write.",
)
@click.option(
    "--product",
    "products",
    multiple=True,
    type=click.Choice([name for name in PRODUCTS.names if name != "stac"]),
    help="A file to make beside each map; may be repeated.",
)
@click.option(
    "--split-rows", type=click.IntRange(min=1), default=1, show_default=True, metavar="K",
    help="Split every scene into K parts, one line each, so that K workers can share it.",
)  # fmt: skip
@options.model_option
@device_option
@options.precision_option
@group_options(Reading, Windowing)
@layer_options(LAYERS, without=CLASSES)
@options.merge_option
@options.overwrite_option
@options.json_option
@options.debug_option
def plan(
    scenes: tuple[str, ...],
    output_folder: str,
    output: Path,
    products: tuple[str, ...],
    split_rows: int,
    model: str | None,
    device: str,
    precision: str,
    overwrite: bool,
    as_json: bool,
    **named: Any,
) -> None:
    """Plan the maps of many scenes, one line per scene or part of a scene.

    SCENE is anything that predict accepts, a pattern ("scenes/*.tif"), a text file with one scene
    per line, or a STAC ItemCollection or search result as JSON. The work file fixes everything
    that determines a map's bytes: model, device, precision, windows. Run it with geosrseg run, on
    this or any other machine.
    """
    from geosrseg.batch.plan_work import plan_work

    def show(scene: "PlannedScene") -> None:
        if not as_json:
            click.echo(one_line(_line(scene, split_rows)))

    named = {name: value for name, value in named.items() if value not in (None, False, ())}
    found = plan_work(
        scenes,
        output_folder,
        output,
        model=model,
        device=device,
        precision=precision,
        products=products,
        split_rows=split_rows,
        overwrite=overwrite,
        on_scene=show,
        **named,
    )
    click.echo(json.dumps(_described(found)) if as_json else _totals(found, output))


def _line(scene: "PlannedScene", split_rows: int) -> str:
    if scene.plan is None:
        return f"{scene.state:<7}{said_of(scene.scene, scene.error)}"
    plan = scene.plan
    parts = f" in {scene.parts} parts" if scene.parts > 1 else ""
    if scene.parts < split_rows:
        parts = (
            f" in {counted(scene.parts, 'part')}, as it has no more strips: use a smaller --window"
        )
    return (
        f"{scene.state:<7}{plan.width} x {plan.height}  {_time(plan.seconds)}  "
        f"{plan.memory / 1e9:.2f} GB memory  {plan.disk / 1e9:.2f} GB disk  {scene.scene}{parts}"
    )


def _totals(found: "WorkPlan", output: Path) -> str:
    states = ("new", "redo", "done", "broken")
    counts = ", ".join(f"{found.count(state)} {state}" for state in states if found.count(state))
    return (
        f"{output}: {counts}; {_time(found.seconds)} in sequence on a machine like this, "
        f"{found.memory / 1e9:.2f} GB memory and {found.disk / 1e9:.2f} GB disk for the largest"
    )


def _time(seconds: float) -> str:
    return duration(seconds) if math.isfinite(seconds) else "no time"


def _described(found: "WorkPlan") -> dict[str, Any]:
    return {
        "scenes": [
            {
                "scene": item.scene,
                "state": item.state,
                "error": item.error or None,
                "task": item.task.id,
                "parts": item.parts,
                "plan": item.plan and item.plan.to_json(),
            }
            for item in found.scenes
        ],
        "seconds": found.seconds,
        "memory": found.memory,
        "disk": found.disk,
    }
