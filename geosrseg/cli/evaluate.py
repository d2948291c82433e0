"""``geosrseg evaluate``: models in, their metrics side by side out."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geosrseg.cli import options

if TYPE_CHECKING:
    from geosrseg.pipelines.evaluate import Report


@click.command()
@click.argument("models", nargs=-1, required=True)
@options.dataset_option
@options.data_option
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="The part of the dataset to measure on.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Also write a report, REPORT.json."
)
@options.device_option
@options.threads_option
@options.overwrite_option
@options.json_option
@options.debug_option
def evaluate(
    models: tuple[str, ...],
    dataset: Path,
    data: Path,
    split: str,
    output: Path | None,
    device: str,
    threads: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure models on a dataset, side by side."""
    with options.extra("train"):
        from geosrseg.data.card import read_card
        from geosrseg.pipelines.evaluate import evaluate as run
    from geosrseg.raster.publication import check_output, open_drafts, publish

    if output:
        check_output(output, suffixes=[".json"], overwrite=overwrite)
    card = read_card(dataset, data=data)
    reports = run(models, card, split=split, device=device, threads=threads)
    text = json.dumps({"reports": [report.to_json() for report in reports]}, indent=2)
    if output:
        with open_drafts(output) as folder:
            (folder / output.name).write_text(text + "\n", encoding="utf-8")
            publish([folder / output.name], output)
    click.echo(text if as_json else format_table(reports))


def format_table(reports: "list[Report]") -> str:
    """The metrics as a Markdown table, one row a model."""
    names = reports[0].class_names
    head = ["model", "overall acc.", "norm. acc.", "mean IoU", "kappa", "PSNR (dB)"]
    head += [f"IoU {name}" for name in names]
    rows = [head, ["---"] * len(head)]
    for report in reports:
        confusion = report.confusion
        values = [*confusion.metrics().values()]
        rows.append(
            [
                report.model,
                *(f"{value:.3f}" for value in values),
                f"{report.psnr:.2f}" if math.isfinite(report.psnr) else "–",
                *(f"{value:.3f}" for value in confusion.iou),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
