"""A change as text, CSV, JSON and a page."""

import json
from collections.abc import Iterator
from pathlib import Path

from geosrseg.analysis.change import SURE, Change, Transition
from geosrseg.analysis.simple_page import heading, line_chart, page, paragraph, table
from geosrseg.core.text.csv_text import as_csv
from geosrseg.raster.storage.publication import check_output, publish_text

TABLE_SUFFIXES = (".csv",)
_HEAD = ["kind", "before", "after", "from", "to", "pixels", "hectares", "doubtful_pixels"]

REPORT_SUFFIXES = (".html", ".json")


def write_change_table(path: str | Path, found: Change, *, overwrite: bool = False) -> None:
    """Write the areas of each date and all transitions as one CSV.

    A row has ``kind`` ``area`` (``before`` is the date, ``from`` the class) or ``transition``.

    Raises:
        OutputError: the output cannot be written.
    """
    path = Path(path)
    check_output(path, suffixes=TABLE_SUFFIXES, overwrite=overwrite)
    publish_text(path, as_csv([_HEAD, *_rows(found)]))


def write_change_report(path: str | Path, found: Change, *, overwrite: bool = False) -> None:
    """Write the history of a place as a page or as JSON.

    Raises:
        OutputError: the output cannot be written.
    """
    path = Path(path)
    check_output(path, suffixes=REPORT_SUFFIXES, overwrite=overwrite)
    is_json = path.suffix.lower() == ".json"
    text = json.dumps(found.to_json(), indent=2) + "\n" if is_json else _page(found)
    publish_text(path, text)


def change_text(found: Change) -> str:
    """The last transition as lines for a terminal."""
    last = found.transitions[-1]
    rows = _matrix(found, last)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{last.before} (rows) to {last.after} (columns), {_unit(found)}"]
    lines += ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, *_doubt(last)])


def _rows(found: Change) -> Iterator[list[object]]:
    for day, areas in zip(found.dates, found.areas, strict=True):
        for item in areas.classes:
            hectares = "" if item.hectares is None else round(item.hectares, 4)
            yield ["area", day, "", item.name, "", item.pixels, hectares, ""]
    names = found.legend.names
    for transition in found.transitions:
        ground, doubtful = transition.square_metres, transition.doubtful
        for one, name in enumerate(names):
            for other, to in enumerate(names):
                yield [
                    "transition", transition.before, transition.after, name, to,
                    int(transition.pixels[one, other]),
                    "" if ground is None else round(float(ground[one, other]) / 1e4, 4),
                    "" if doubtful is None else int(doubtful[one, other]),
                ]  # fmt: skip


def _unit(found: Change) -> str:
    return "pixels" if found.transitions[-1].square_metres is None else "hectares"


def _matrix(found: Change, transition: Transition) -> list[list[str]]:
    ground = transition.square_metres
    values = transition.pixels if ground is None else ground / 1e4
    names = list(found.legend.names)
    return [
        ["from \\ to", *names],
        *([name, *(f"{v:,.0f}" for v in row)] for name, row in zip(names, values, strict=True)),
    ]


def _doubt(transition: Transition) -> list[str]:
    changed = int(transition.pixels.sum() - transition.pixels.trace())
    if transition.doubtful is None:
        return [
            "How much of the change is noise is not known: not both maps have confidence layers "
            "beside them (MAP.confidence.tif)."
        ]
    share = transition.doubtful.sum() / max(changed, 1)
    return [
        f"{share:.0%} of the changed pixels may be noise: their two labels are together less than "
        f"{SURE} % certain."
    ]


def _page(found: Change) -> str:
    colours = [item.colour for item in found.legend.classes]
    first, last = found.dates[0], found.dates[-1]
    parts = [
        paragraph(
            "Areas are those of each map; what became of what is counted where both maps of a pair "
            "show a class. Two maps differ by their errors too, and not only by what happened."
        ),
        heading("Areas"),
        _series(found),
        table(_series_table(found), colours),
    ]
    for transition in found.transitions:
        parts += [
            heading(f"{transition.before} to {transition.after}"),
            paragraph(
                f"Rows: {transition.before}. Columns: {transition.after}. In {_unit(found)}."
            ),
            table(_matrix(found, transition), colours),
            *map(paragraph, _doubt(transition)),
        ]
    return page(f"Change from {first} to {last}", parts)


def _values(found: Change, index: int) -> list[float]:
    items = [areas.classes[index] for areas in found.areas]
    return [item.pixels if item.hectares is None else item.hectares for item in items]


def _series(found: Change) -> str:
    return line_chart(
        [day.toordinal() for day in found.dates],
        [day.isoformat() for day in found.dates],
        [
            (item.name, item.colour, _values(found, k))
            for k, item in enumerate(found.legend.classes)
        ],
        unit=_unit(found),
    )


def _series_table(found: Change) -> list[list[str]]:
    return [
        ["class", *(day.isoformat() for day in found.dates)],
        *(
            [name, *(f"{value:,.1f}" for value in _values(found, k))]
            for k, name in enumerate(found.legend.names)
        ),
    ]
