"""Options that several commands share."""

import shlex
import sys
from pathlib import Path

import click

from geosrseg.cli.fields import field_option
from geosrseg.core.precision import NOT_OFFERED, PRECISIONS
from geosrseg.extras import extra as extra
from geosrseg.mapping.windowing import Windowing

DEBUG = "geosrseg.debug"
"""Key of `click.Context.meta` that --debug sets."""


def _want_traceback(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_want_traceback,
    help="Show the traceback of an error.",
)


def typed_command() -> str:
    """The command as typed, for reports."""
    return shlex.join(["geosrseg", *sys.argv[1:]])


precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", *PRECISIONS, *NOT_OFFERED]),
    metavar=f"[{'|'.join(('auto', *PRECISIONS))}]",  # the session tells why others are not offered
    default="auto",
    show_default=True,
    help="Arithmetic of the model; auto takes the fastest that device and model allow.",
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output."
)

model_option = click.option(
    "-m",
    "--model",
    metavar="NAME|FILE.onnx|URL",
    help="A shipped model, a model file, or the address of one: https://...#sha256=HEX or "
    "hf://OWNER/REPO/FILE.onnx@COMMIT.  [default: the embedded model]",
)

merge_option = click.option(
    "--legend",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Merge, rename and recolour the classes in every output, as relabel does.  "
    "[default: the model's classes]",
)

overwrite_option = click.option("--overwrite", is_flag=True, help="Replace an existing output.")

threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads of the model.  [default: one per core]",
)

seams_option = field_option(Windowing, "seams")
