"""What the commands on finished maps share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

map_argument = click.argument("class_map", metavar="MAP", type=click.Path(path_type=Path))

legend_option = click.option(
    "--legend",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="The map's classes: [[classes]] with id, name and colour.  [default: what the map says]",
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
