"""What the commands on finished maps share."""

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


def _words(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",")) if value else ()


dates_option = click.option(
    "--dates",
    metavar="DATE,...",
    callback=_words,
    help="Of the maps, in their order: 2001-02-05,2021-03-01.  [default: those in their names]",
)


def read_dates(words: tuple[str, ...]) -> list[date]:
    """Dates as they are typed."""
    try:
        return [date.fromisoformat(word) for word in words]
    except ValueError as error:
        raise click.UsageError(f"--dates: {error}, expected dates such as 2001-02-05") from error


legend_option = click.option(
    "--legend",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="The map's classes: [[classes]] with id, name and colour.  [default: what the map says]",
)


scene_option = click.option(
    "--scene",
    metavar="SCENE",
    help="The scene that the map was made from, in any form that predict takes.  [default: none]",
)


title_option = click.option(
    "--title",
    metavar="TEXT",
    help="Stands above the page and the picture.  [default: the name of the scene, or of the map]",
)


def output_option(kinds: str, *, required: bool = True) -> Callable[[F], F]:
    """``-o``, for files of these kinds."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar=kinds,
        required=required,
        help="The file to write.",
    )
