"""Writes an `Assessment` as text, JSON, CSV or an HTML page."""

import json
from collections.abc import Iterator
from pathlib import Path

from geosrseg.analysis.assessment import Accuracy, Assessment
from geosrseg.analysis.simple_page import heading, page, paragraph, table
from geosrseg.core.text.csv_text import as_csv
from geosrseg.raster.storage.publication import check_output, publish_text

SUFFIXES = (".csv", ".json", ".html")

CAVEAT = (
    "The intervals hold for a random sample within each class of the map. The pixels of a whole "
    "reference raster or of polygons resemble their neighbours: there the true intervals are wider."
)

Rows = list[list[str]]


def check_assessment(path: Path, *, overwrite: bool) -> None:
    """Refuse a file that cannot be written; see `check_output`."""
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)


def write_assessment(
    path: str | Path, found: Assessment, *, title: str, overwrite: bool = False
) -> None:
    """Write an assessment.

    Args:
        path: ``.csv`` (one row per class, then the matrix), ``.json`` or ``.html``.
        title: name of the map, for the page.

    Raises:
        OutputError: the output cannot be written.
    """
    path = Path(path)
    check_assessment(path, overwrite=overwrite)
    writers = {
        ".json": lambda: json.dumps(found.to_json(), indent=2) + "\n",
        ".csv": lambda: _csv(found),
        ".html": lambda: _page(found, title),
    }
    publish_text(path, writers[path.suffix.lower()]())


def text(found: Assessment) -> str:
    """Format the assessment for a terminal."""
    lines = [*_summary(found), ""]
    lines += _aligned(_classes(found))
    lines += ["", "confusion matrix (rows: reference, columns: map)"]
    lines += _aligned(_matrix(found))
    lines += ["", CAVEAT]
    return "\n".join(lines)


def _summary(found: Assessment) -> Iterator[str]:
    metrics = found.confusion.metrics()
    left = ", ".join(f"{count:,} {cause}" for cause, count in found.left_out.items() if count)
    compared = f"{found.confusion.total:,} {found.unit} compared"
    yield f"{compared}; left out: {left}" if left else compared
    yield (
        f"overall accuracy {_share(metrics['overall_accuracy'])}, kappa {metrics['kappa']:.3f}, "
        f"mean IoU {_share(metrics['mean_iou'])}"
    )
    stratified = found.stratified()
    if stratified is None:
        yield "weighted by the map's areas: not known, a mapped class has fewer than two samples"
    else:
        yield f"overall accuracy weighted by the map's areas {_accuracy(stratified.overall)}"


def _classes(found: Assessment) -> Rows:
    matrix, stratified = found.confusion, found.stratified()
    head = ["class", "reference", "map", "producer's", "user's", "IoU"]
    if stratified is not None:
        head += ["producer's, weighted", "user's, weighted"]
        head += ["hectares, estimated"] if stratified.areas else []
    rows = [head]
    for k, item in enumerate(found.legend.classes):
        row = [item.name, f"{matrix.counts[k].sum():,}", f"{matrix.counts[:, k].sum():,}"]
        row += map(_share, (matrix.producers_accuracy[k], matrix.users_accuracy[k], matrix.iou[k]))
        if stratified is not None:
            row += map(_accuracy, (stratified.producers[k], stratified.users[k]))
            if stratified.areas:
                area = stratified.areas[k]
                row.append(f"{area.square_metres / 1e4:,.1f} ± {area.margin / 1e4:,.1f}")
        rows.append(row)
    return rows


def _matrix(found: Assessment) -> Rows:
    names = list(found.legend.names)
    rows = zip(names, found.confusion.counts.tolist(), strict=True)
    return [["", *names], *([name, *(f"{n:,}" for n in counts)] for name, counts in rows)]


def _aligned(rows: Rows) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if value == value else "–"


def _accuracy(accuracy: Accuracy) -> str:
    margin = f" ± {100 * accuracy.margin:.1f}" if accuracy.margin == accuracy.margin else ""
    return _share(accuracy.value).replace(" %", f"{margin} %")


def _csv(found: Assessment) -> str:
    classes = found.to_json()["classes"]
    flat = [
        {
            name: value
            for key, cell in item.items()
            for name, value in (
                [(key, cell["value"]), (f"{key}_margin", cell["margin"])]
                if isinstance(cell, dict)
                else [(key, cell)]
            )
        }
        for item in classes
    ]
    names = found.legend.names
    counts = zip(names, found.confusion.counts.tolist(), strict=True)
    per_class = [list(flat[0]), *(list(item.values()) for item in flat)]
    matrix = [["reference \\ map", *names], *([name, *row] for name, row in counts)]
    return as_csv([*per_class, [], *matrix])


def _page(found: Assessment, title: str) -> str:
    colours = [item.colour for item in found.legend.classes]
    parts = [
        *map(paragraph, _summary(found)),
        heading("Classes"),
        table(_classes(found), colours),
        heading("Confusion matrix"),
        paragraph("Rows: reference. Columns: map."),
        table(_matrix(found), colours),
        paragraph(CAVEAT),
    ]
    return page(f"Accuracy of {title}", parts)
