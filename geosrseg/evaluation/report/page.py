"""Renders a report as a self-contained HTML page.

Figures and tables follow the paper: Tables 1 and 2, the confusion matrices of Figure 2 and the
pictures of Figure 3.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.evaluation.report.paper_results import PAPER_RESULTS
from geosrseg.evaluation.report.pictures import draw_figures
from geosrseg.evaluation.report.protocols import (
    PROTOCOL_NAMES,
    group_by_factor,
    list_claims,
    list_grids,
)
from geosrseg.evaluation.report.report import ModelReport, Report
from geosrseg.evaluation.scoring.bootstrap import LEVEL, Estimate
from geosrseg.version import __version__

DASH = "–"

FIGURES: Mapping[str, str] = {
    "overall_accuracy": "Overall accuracy",
    "normalized_accuracy": "Normalized accuracy",
    "mean_iou": "Mean IoU",
    "kappa": "Kappa",
    "boundary_mean_iou": "Mean IoU near boundaries",
    "mean_small_object_recall": "Recall of small objects",
}
PAPER_FIGURES = tuple(FIGURES)[:4]


@dataclass(frozen=True, slots=True)
class Bar:
    """One difference to the baseline; positions are in percent of the axis.

    Attributes:
        name: name of the figure.
        estimate: the difference.
        left: start of the interval; None without one.
        width: width of the interval.
        dot: position of the value.
    """

    name: str
    estimate: Estimate
    left: float | None
    width: float
    dot: float


@dataclass(frozen=True, slots=True)
class Plot:
    """The differences of one model to its baseline, on one axis.

    Attributes:
        zero: position of zero in percent of the axis.
        ticks: positions in percent, and labels.
        bars: one for each figure.
    """

    model: ModelReport
    zero: float
    ticks: tuple[tuple[float, str], ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One figure of one model by class, with the mean first if there is one."""

    model: str
    estimates: tuple[Estimate, ...]


def report_html(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, signed=signed, interval=interval, count=count)
    factors = group_by_factor(report) if report.experiments else ()
    template = resources.files(__package__).joinpath("report.html.jinja")
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        report=report,
        version=__version__,
        level=f"{LEVEL:.0%}".replace("%", " %"),
        figures=FIGURES,
        paper_figures=PAPER_FIGURES,
        best=_best(report.models),
        factors=factors,
        claims=list(list_claims(factors)),
        grids=list(list_grids(factors)),
        plots=[_plot(model) for model in report.models if model.differences],
        matrices=[(model, _shares(model.confusion)) for model in report.models],
        class_rows=lambda mean, figure: list(_class_rows(report, mean, figure)),
        pixels=sum(report.reference_pixels),
        paper=PAPER_RESULTS.get(report.dataset),
        protocols=PROTOCOL_NAMES,
        pictures=list(draw_figures(report)),
    )


def number(value: float | None, digits: int = 3) -> str:
    """Format a value; a dash if undefined."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """Format a difference with its sign."""
    return DASH if not math.isfinite(value) else f"{value:+.{digits}f}".replace("-", "−")


def interval(estimate: Estimate, digits: int = 3) -> str:
    """Format both ends of an interval; empty without one."""
    if not estimate.bounded:
        return ""
    between = DASH if estimate.low >= 0 else " to "
    return f"{number(estimate.low, digits)}{between}{number(estimate.high, digits)}"


def count(value: int) -> str:
    """Format a count with thin spaces between the thousands."""
    return f"{value:,}".replace(",", "\u202f")


def _best(models: Sequence[ModelReport]) -> dict[str, float]:
    """Return the highest value of each figure whose values differ between models."""
    values = {
        name: {model.estimates[name].value for model in models if model.estimates[name].defined}
        for name in FIGURES
    }
    return {name: max(own) for name, own in values.items() if len(own) > 1}


def _plot(model: ModelReport) -> Plot:
    shown = {name: model.differences[name] for name in FIGURES}
    ends = [end for own in shown.values() for end in (own.value, own.low, own.high)]
    ends = [0.0, *filter(math.isfinite, ends)]
    step = _tick_step(max(ends) - min(ends))
    first, last = math.floor(min(ends) / step), math.ceil(max(ends) / step)
    last = max(last, first + 1)

    def place(value: float) -> float:
        return 100 * (value / step - first) / (last - first)

    bars = []
    for name, own in shown.items():
        if own.defined:
            known = own.bounded
            left = place(own.low) if known else None
            width = place(own.high) - place(own.low) if known else 0.0
            bars.append(Bar(FIGURES[name], own, left, width, place(own.value)))
    ticks = tuple(
        (place(k * step), f"{k * step:+.6g}".replace("-", "−") if k else "0")
        for k in range(first, last + 1)
    )
    return Plot(model, place(0.0), ticks, tuple(bars))


def _tick_step(extent: float) -> float:
    """Return the smallest round step of which five span the extent."""
    if extent <= 0:
        return 0.01
    power = 10 ** math.floor(math.log10(extent / 5))
    return min(power * factor for factor in (1, 2, 5, 10) if power * factor >= extent / 5)


def _shares(confusion: ConfusionMatrix) -> list[list[float]]:
    """Return each row of the matrix divided by its sum; NaN for absent classes."""
    return [
        [float(cell) / total if (total := float(row.sum())) else math.nan for cell in row]
        for row in confusion.counts
    ]


def _class_rows(report: Report, mean: str | None, figure: str) -> Iterator[ClassRow]:
    for model in report.models:
        names = [f"{figure}/{name}" for name in report.legend.names]
        keys = [*([mean] if mean else []), *names]
        yield ClassRow(model.model, tuple(model.estimates[key] for key in keys))
