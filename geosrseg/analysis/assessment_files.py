"""An assessment as text, JSON, CSV and a page."""

import csv
import io
import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

from geosrseg.analysis.assessment import Accuracy, Assessment
from geosrseg.errors import OutputError
from geosrseg.raster.files.gdal import reason
from geosrseg.raster.files.publication import check_output, open_drafts, publish

SUFFIXES = (".csv", ".json", ".html")

CAVEAT = (
    "The intervals hold for a random sample within each class of the map. The pixels of a whole "
    "reference raster or of polygons resemble their neighbours: there the true intervals are wider."
)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#222}table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}"
    "th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}"
    "th:first-child,td:first-child{text-align:left}.swatch{display:inline-block;width:1em;"
    "height:1em;margin-right:.5em;vertical-align:-.15em;border:1px solid #888}"
)

Table = list[list[str]]


def check_assessment(path: Path, *, overwrite: bool) -> None:
    """Refuse a name that cannot be written.

    Raises:
        OutputError: see `check_output`.
    """
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)


def write_assessment(
    path: str | Path, found: Assessment, *, title: str, overwrite: bool = False
) -> None:
    """Write an assessment.

    Args:
        path: ``.csv`` (one row per class, then the matrix), ``.json`` or ``.html``.
        found: what to write.
        title: of the page.
        overwrite: replace an existing file.

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
    with open_drafts(path) as folder:
        draft = folder / path.name
        try:
            draft.write_text(writers[path.suffix.lower()](), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({reason(error)})") from error
        publish([draft], path)


def text(found: Assessment) -> str:
    """The assessment as lines for a terminal."""
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
        yield "weighed by the map's areas: not known, a mapped class has fewer than two samples"
    else:
        yield f"overall accuracy weighed by the map's areas {_accuracy(stratified.overall)}"


def _classes(found: Assessment) -> Table:
    matrix, stratified = found.confusion, found.stratified()
    head = ["class", "reference", "map", "producer's", "user's", "IoU"]
    if stratified is not None:
        head += ["producer's, weighed", "user's, weighed"]
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


def _matrix(found: Assessment) -> Table:
    names = list(found.legend.names)
    rows = zip(names, found.confusion.counts.tolist(), strict=True)
    return [["", *names], *([name, *(f"{n:,}" for n in counts)] for name, counts in rows)]


def _aligned(table: Table) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if value == value else "–"


def _accuracy(accuracy: Accuracy) -> str:
    margin = f" ± {100 * accuracy.margin:.1f}" if accuracy.margin == accuracy.margin else ""
    return _share(accuracy.value).replace(" %", f"{margin} %")


def _csv(found: Assessment) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
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
    writer.writerow(flat[0].keys())
    writer.writerows(item.values() for item in flat)
    writer.writerow([])
    writer.writerow(["reference \\ map", *found.legend.names])
    for name, counts in zip(found.legend.names, found.confusion.counts.tolist(), strict=True):
        writer.writerow([name, *counts])
    return file.getvalue()


def _page(found: Assessment, title: str) -> str:
    swatches = [item.colour for item in found.legend.classes]
    head = escape(f"Accuracy of {title}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{head}</title><style>{_STYLE}</style></head><body><main><h1>{head}</h1>"
        + "".join(f"<p>{escape(line)}</p>" for line in _summary(found))
        + "<h2>Classes</h2>"
        + _html_table(_classes(found), swatches)
        + "<h2>Confusion matrix</h2><p>Rows: reference. Columns: map.</p>"
        + _html_table(_matrix(found), swatches)
        + f"<p>{escape(CAVEAT)}</p></main></body></html>\n"
    )


def _html_table(table: Table, colours: list[str]) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table[0])
    rows = "".join(
        f'<tr><th scope="row"><span class="swatch" style="background:{colour}"></span>'
        f"{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row, colour in zip(table[1:], colours, strict=True)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
