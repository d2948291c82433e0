"""Builds a self-contained HTML page of paragraphs, tables and charts."""

from collections.abc import Sequence
from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;"
    "color:#222}table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}"
    "th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}"
    "th:first-child{text-align:left}.swatch{display:inline-block;width:1em;height:1em;"
    "margin-right:.5em;vertical-align:-.15em;border:1px solid #888}svg{width:100%;height:auto}"
)


def page(title: str, parts: Sequence[str]) -> str:
    """Return a whole page.

    Args:
        title: plain text.
        parts: HTML from `paragraph`, `heading`, `table` and `line_chart`.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>\n"
    )


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Return a second-level heading."""
    return f"<h2>{escape(text)}</h2>"


def table(rows: Sequence[Sequence[str]], colours: Sequence[str] = ()) -> str:
    """Return a table.

    Args:
        rows: cells; the first row and column are headings.
        colours: colours of a swatch before each row after the first; empty for no swatches.
    """
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        f'<tr><th scope="row">{_swatch(colours[k]) if colours else ""}{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for k, row in enumerate(rows[1:])
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def line_chart(
    places: Sequence[float],
    labels: Sequence[str],
    lines: Sequence[tuple[str, str, Sequence[float]]],
    *,
    unit: str,
) -> str:
    """Return lines over time with a legend, as SVG.

    Args:
        places: positions of the values on the axis, increasing.
        labels: text below each position.
        lines: name, colour and values of each line.
        unit: unit of the values.
    """
    width, height, left, top, bottom = 900, 320, 80, 10, 30
    highest = max((max(values) for *_, values in lines), default=0) or 1
    span = (places[-1] - places[0]) or 1
    xs = [left + (width - left - 20) * (place - places[0]) / span for place in places]

    def y(value: float) -> float:
        return top + (height - top - bottom) * (1 - value / highest)

    marks = "".join(
        f'<line x1="{left}" x2="{width}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ddd"/>'
        f'<text x="{left - 8}" y="{y(v) + 4:.1f}" text-anchor="end" font-size="12">{v:,.4g}</text>'
        for v in (0, highest / 2, highest)
    )
    days = "".join(
        f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" font-size="12">{escape(t)}</text>'
        for x, t in zip(xs, labels, strict=True)
    )
    curves = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" points="'
        + " ".join(f"{x:.1f},{y(v):.1f}" for x, v in zip(xs, values, strict=True))
        + '"/>'
        for _, colour, values in lines
    )
    legend = " ".join(f"<span>{_swatch(colour)}{escape(name)}</span>" for name, colour, _ in lines)
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(unit)} per '
        f'date">{marks}{days}{curves}</svg>'
        f"<figcaption>{escape(unit)}: {legend}</figcaption></figure>"
    )


def _swatch(colour: str) -> str:
    return f'<span class="swatch" style="background:{colour}"></span>'
