"""Writes a report as JSON, CSV or an HTML page, or as a folder with all of them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from geosrseg.core.text.csv_text import as_csv
from geosrseg.errors import OutputError
from geosrseg.evaluation.report.page import report_html
from geosrseg.evaluation.report.report import Report
from geosrseg.evaluation.scoring.bootstrap import Estimate
from geosrseg.evaluation.source_figures import finite
from geosrseg.raster.storage.publication import check_output, publish_texts

Writer = Callable[[Report], str]


def report_json(report: Report) -> str:
    """Return all figures, intervals and confusion matrices as JSON."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n"


def metrics_csv(report: Report) -> str:
    """Return a row per model and figure, with its interval and difference to the baseline."""
    head = ["model", "upscale_factor", "figure", "class", "value", "low", "high"]
    rows = [[*head, "compared_with", "difference", "difference_low", "difference_high"]]
    for model in report.models:
        for name, estimate in model.estimates.items():
            figure, _, label = name.partition("/")
            changes = [model.baseline, *_numbers(model.differences.get(name))]
            numbers = [*_numbers(estimate), *changes]
            rows.append([model.model, str(model.upscale_factor), figure, label, *numbers])
        for figure, value in (("psnr", model.psnr), ("psnr_bicubic", model.psnr_bicubic)):
            numbers = [_number(value), *[""] * 6]
            rows.append([model.model, str(model.upscale_factor), figure, "", *numbers])
    return as_csv(rows)


def confusion_csv(report: Report) -> str:
    """Return a row per model, reference class and predicted class."""
    rows = [["model", "reference", "prediction", "pixels", "pixels_near_boundary"]]
    names = report.legend.names
    for model in report.models:
        for row, reference in enumerate(names):
            for col, prediction in enumerate(names):
                counts = (model.confusion.counts, model.boundary_confusion.counts)
                pixels = [str(int(each[row, col])) for each in counts]
                rows.append([model.model, reference, prediction, *pixels])
    return as_csv(rows)


FILES: Mapping[str, Writer] = {
    "report.json": report_json,
    "metrics.csv": metrics_csv,
    "confusion.csv": confusion_csv,
    "report.html": report_html,
}
"""Files in the folder of a report."""

SINGLE: Mapping[str, Writer] = {
    ".json": report_json,
    ".csv": metrics_csv,
    ".html": report_html,
}
"""Writers of a single file, by its suffix."""


def check_report(output: Path, *, overwrite: bool) -> None:
    """Refuse in advance what `write_report` would refuse after hours of work."""
    if output.suffix:
        check_output(output, suffixes=[*SINGLE], overwrite=overwrite)
        return
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output}: is not a folder: choose another name")
    if not output.is_dir() and not output.parent.is_dir():
        raise OutputError(f"{output}: there is no folder {output.parent}: make it first")
    for name in FILES:
        if (output / name).exists():
            check_output(output / name, suffixes=[Path(name).suffix], overwrite=overwrite)


def write_report(report: Report, output: str | Path, *, overwrite: bool = False) -> None:
    """Write a report.

    Args:
        output: a folder, created if missing, or one file with suffix .json, .csv or .html.

    Raises:
        OutputError: the suffix is unsupported, the output exists, or it cannot be written.
    """
    output = Path(output)
    check_report(output, overwrite=overwrite)
    if output.suffix:
        texts = {output: SINGLE[output.suffix.lower()](report)}
    else:
        texts = {output / name: write(report) for name, write in FILES.items()}
        _make_folder(output)
    publish_texts(texts)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error


def _numbers(estimate: Estimate | None) -> list[str]:
    if estimate is None:
        return [""] * 3
    return [_number(value) for value in (estimate.value, estimate.low, estimate.high)]


def _number(value: float) -> str:
    return "" if finite(value) is None else repr(value)
