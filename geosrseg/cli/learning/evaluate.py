"""``geosrseg evaluate``: the accuracy of models on the same pixels."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.dataset_options import data_option, dataset_option
from geosrseg.cli.device_option import device_option
from geosrseg.cli.fields import group_options, taken
from geosrseg.cli.terminal.progress import step_bar
from geosrseg.cli.terminal.table import format_table
from geosrseg.datasets.folds.fold import Fold
from geosrseg.evaluation.evaluation_sizes import EvaluationSizes

if TYPE_CHECKING:
    from geosrseg.evaluation.report.report import Report
    from geosrseg.evaluation.scoring.bootstrap import Estimate

SOURCE_HEADS = {
    "overall_accuracy": "overall acc.",
    "mean_iou": "mean IoU",
    "calibration_error": "calibration error",
}
"""Columns of the table of sources, before the IoU of each class."""

HEADS = {
    "overall_accuracy": "overall acc.",
    "normalized_accuracy": "norm. acc.",
    "mean_iou": "mean IoU",
    "kappa": "kappa",
}


@click.command(cls=Command)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@dataset_option
@data_option
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="The part of the dataset to measure on.",
)
@group_options(Fold)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="REPORT",
    help="Also write a report: a folder, or one file .json, .csv, .html.",
)
@options.seams_option
@group_options(EvaluationSizes)
@click.option(
    "--tta",
    is_flag=True,
    help="Test-time augmentation: average the outputs over all eight flips and turns.",
)
@device_option
@options.precision_option
@options.threads_option
@options.overwrite_option
@options.json_option
@options.debug_option
def evaluate(
    models: tuple[str, ...],
    dataset: str,
    data: Path | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
    **arguments: Any,
) -> None:
    """Measure models on a dataset and compare them.

    MODEL is the folder of a finished run, FILE.onnx or the name of a shipped model. Further models
    are compared with the first.
    """
    with options.extra("train"):
        from geosrseg.datasets.datasets import read_dataset
        from geosrseg.datasets.folds.folded_card import fold_card
        from geosrseg.evaluation.evaluate import evaluate as run
        from geosrseg.evaluation.report.files import check_report, report_json, write_report

    if output:
        check_report(output, overwrite=overwrite)
    sizes = taken(EvaluationSizes, arguments)
    fold = taken(Fold, arguments)
    card = fold_card(read_dataset(dataset, data=data), fold)
    with step_bar("window") as on_window:
        report = run(models, card, sizes=sizes, on_window=on_window, **arguments)
    report = replace(report, command=options.typed_command())
    if output:
        write_report(report, output, overwrite=overwrite)
    click.echo(report_json(report) if as_json else format_report(report), nl=not as_json)


def format_report(report: "Report") -> str:
    """The paper's metrics and the differences from the first model, as Markdown tables."""
    names = list(HEADS)
    rows = [["model", *HEADS.values(), "PSNR (dB)", "bicubic (dB)"]]
    differences = [["compared with the first", *HEADS.values()]]
    for model in report.models:
        psnr = [_cell(value, digits=2) for value in (model.psnr, model.psnr_bicubic)]
        rows.append(
            [model.model, *(format_interval(model.estimates[name]) for name in names), *psnr]
        )
        if model.differences:
            changes = [format_interval(model.differences[name], sign="+") for name in names]
            differences.append([model.model, *changes])
    classes = [["IoU", *report.legend.names]]
    for model in report.models:
        ious = model.by_class("iou").values()
        classes.append([model.model, *(_cell(value) for value in ious)])
    sources = [["source", "model", *SOURCE_HEADS.values(), *report.legend.names]]
    for name in report.models[0].by_source:
        for model in report.models:
            figures = model.by_source[name].to_json()
            values = [*(figures[key] for key in SOURCE_HEADS), *figures["iou"]]
            cells = [_cell(math.nan if value is None else value) for value in values]
            sources.append([name, model.model, *cells])
    tables = [rows, *(more for more in (differences, classes, sources) if len(more) > 1)]
    return "\n\n".join(format_table(table) for table in tables)


def format_interval(estimate: "Estimate", *, sign: str = "") -> str:
    """Format a figure with its interval, if it has one."""
    value = _cell(estimate.value, sign=sign)
    if not estimate.bounded:
        return value
    return f"{value} ({_cell(estimate.low, sign=sign)} to {_cell(estimate.high, sign=sign)})"


def _cell(value: float, *, digits: int = 3, sign: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:{sign}.{digits}f}"
