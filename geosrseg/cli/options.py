"""Options that several commands share, so that they are the same everywhere."""

import re
import shlex
import sys
from pathlib import Path

import click

from geosrseg.extras import extra as extra

DEBUG = "geosrseg.debug"
"""Key of `click.Context.meta` that is set when a traceback is wanted."""


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


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",")) if value else ()


UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Bytes(click.ParamType[int]):
    """A size such as 800M or 2.5G, in bytes."""

    name = "size"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = re.fullmatch(
            r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE
        )
        if found is None:
            self.fail(f"{value!r} is no size: expected one such as 800M or 2.5G", param, ctx)
        return int(float(found[1]) * UNITS[found[2].upper()])


mask_option = click.option(
    "--mask",
    metavar="NAME,...",
    callback=_names,
    help="What of a Landsat product is not valid: cloud, shadow, cirrus, snow.",
)


def typed_command() -> str:
    """The command as it was typed, for reports to say how they were made."""
    return shlex.join(["geosrseg", *sys.argv[1:]])


device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cuda", "tensorrt", "openvino", "cpu"]),
    default="auto",
    show_default=True,
    help="Where the model runs; auto takes the first of cuda, openvino and cpu that works.",
)

precision_option = click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16", "int8"]),
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
    metavar="NAME|FILE.onnx",
    help="A shipped model or a model file.  [default: the embedded model]",
)

overwrite_option = click.option("--overwrite", is_flag=True, help="Replace an existing output.")

threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads of the model.  [default: one per core]",
)

seams_option = click.option(
    "--seams",
    type=click.Choice(["blend", "exact"]),
    default="blend",
    show_default=True,
    help="Taper overlapping windows, or give exactly the labels of one large window.",
)

dataset_option = click.option(
    "--dataset",
    metavar="NAME|FOLDER|CARD.toml",
    required=True,
    help="vaihingen, thetford or coffee; a folder train/ train_msk/ test/ test_msk/; or a card.",
)

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of a dataset by name, or of a card's paths.  [default: data/NAME, or the current "
    "folder]",
)
