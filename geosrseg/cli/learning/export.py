"""``geosrseg export``: writes the weights of a run as a model file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command


@click.command(cls=Command)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The model file to write, MODEL.onnx.",
)
@click.option("--name", help="Name of the model.  [default: the file's name]")
@click.option("--version", default="1", show_default=True, help="Version of the weights.")
@click.option(
    "--halo",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    help="LR pixels at a window's border that blending does not use.",
)
@click.option(
    "--precision",
    "precisions",
    type=click.Choice(["bf16", "fp16"]),
    multiple=True,
    help="Arithmetic that was measured to be as good as fp32; may be repeated.",
)
@click.option(
    "--card",
    type=click.Path(path_type=Path),
    metavar="README.md",
    help="Also write the model's card, in the form of the Hugging Face Hub.",
)
@click.option(
    "--tta",
    type=click.Choice(["flips", "turns"]),
    help="Build test-time augmentation into the file: the mean over four flips, or over flips and "
    "quarter turns. The model then takes five or ten times as long.",
)
@click.option("--limits", default="", help="Where users should not trust the model.")
@options.overwrite_option
@options.json_option
@options.debug_option
def export(run: Path, output: Path, as_json: bool, **arguments: Any) -> None:
    """Write the best weights of a run as a model file."""
    with options.extra("train"):
        from geosrseg.training.finishing.export import export as run_export

    report = run_export(run, output, **arguments)
    if as_json:
        click.echo(json.dumps(asdict(report), default=str))
    else:
        click.echo(
            f"{report.path}: {report.size_bytes / 1e6:.1f} MB, labels agree with PyTorch's on "
            f"{report.label_agreement:.4%} of the {report.compared:.2%} of pixels that rounding "
            f"cannot change, largest SR difference {report.sr_error:.1e}"
        )
