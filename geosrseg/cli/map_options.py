"""Options that the commands on finished maps share."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

map_argument = click.argument("class_map", metavar="MAP", type=click.Path(path_type=Path))

maps_argument = click.argument(
    "maps", metavar="MAP...", nargs=-1, required=True, type=click.Path(path_type=Path)
)


def _dates(ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[date, ...]:
    try:
        return tuple(date.fromisoformat(word.strip()) for word in value.split(",")) if value else ()
    except ValueError as error:
        message = f"--dates: {error}, expected dates such as 2001-02-05"
        raise click.UsageError(message, ctx) from error


dates_option = click.option(
    "--dates",
    metavar="DATE,...",
    callback=_dates,
    help="Dates of the maps in their order, such as 2001-02-05,2021-03-01.  "
    "[default: from their names]",
)


legend_option = click.option(
    "--legend",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="The map's classes: [[classes]] with id, name and colour.  [default: the map's own]",
)


scene_option = click.option(
    "--scene",
    metavar="SCENE",
    help="The scene that the map was made from, in any form that predict accepts.  [default: none]",
)


title_option = click.option(
    "--title",
    default="",
    metavar="TEXT",
    help="Title of the page and the picture.  [default: the name of the scene, or else the map]",
)


def output_option(kinds: str, *, required: bool = True) -> Callable[[F], F]:
    """The option ``-o``; `kinds` is its metavar."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar=kinds,
        required=required,
        help="The file to write.",
    )
