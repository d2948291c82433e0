"""Learning curves of every arm on the validation data, by epoch.

They show whether a budget suffices: arms that still improve at its end are compared too early.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import cycle, zip_longest
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from geosrseg.core.legend import Legend
from geosrseg.core.text.csv_text import as_csv
from geosrseg.evaluation.experiment import Experiment
from geosrseg.training.run_folder.metrics_table import read_metrics

COLOURS = ("#5c6670", "#1f5fa8", "#c2571a", "#2f7d4f", "#8a4fa3", "#b3243c", "#0f8a8a", "#8a7500")
LATE = 5
"""A curve has levelled off if its last fifth gains almost nothing."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure of one training.

    Attributes:
        arm: see `Experiment.arm`.
        seed: seed of the training; 0 if there is only one.
        figure: ``mean IoU``, or the name of a class for its IoU.
        values: by epoch; NaN where nothing was measured.
    """

    arm: str
    seed: int
    figure: str
    values: tuple[float, ...]


def read_curves(runs: Mapping[Experiment, Path], legend: Legend) -> list[Curve]:
    """Read the metrics of all trainings.

    Raises:
        RunError: a run has no metrics.
    """
    classes = zip(legend.ids, legend.names, strict=True)
    columns = {"val/mean_iou": "mean IoU"} | {f"val/iou_{key}": name for key, name in classes}
    return [
        Curve(experiment.arm, experiment.seed or 0, figure, values)
        for experiment, run in runs.items()
        for rows in [read_metrics(run / "metrics.csv")]
        for column, figure in columns.items()
        for values in [tuple(row.get(column, math.nan) for row in rows)]
    ]


def curve_csv(curves: Sequence[Curve]) -> str:
    """Return a row per arm, seed, figure and epoch."""
    rows = (
        [curve.arm, curve.seed, curve.figure, epoch, "" if math.isnan(value) else value]
        for curve in curves
        for epoch, value in enumerate(curve.values)
    )
    return as_csv([["arm", "seed", "figure", "epoch", "value"], *rows])


@dataclass(frozen=True, slots=True)
class Line:
    """An arm in one panel: mean and range over its seeds, by epoch.

    Attributes:
        lows: values of the worst seed.
        highs: values of the best seed.
    """

    arm: str
    colour: str
    means: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    @property
    def late_gain(self) -> float:
        """Mean of the last fifth of the epochs minus that of the fifth before."""
        part = max(len(self.means) // LATE, 1)
        last, before = self.means[-part:], self.means[-2 * part : -part]
        return _mean(last) - _mean(before) if before else math.nan


def draw_lines(curves: Sequence[Curve]) -> dict[str, list[Line]]:
    """Return a line per arm for each figure."""
    colours = dict(zip(dict.fromkeys(curve.arm for curve in curves), cycle(COLOURS), strict=False))
    return {
        figure: [
            _line(arm, colour, [c.values for c in curves if (c.arm, c.figure) == (arm, figure)])
            for arm, colour in colours.items()
        ]
        for figure in dict.fromkeys(curve.figure for curve in curves)
    }


def _line(arm: str, colour: str, seeds: Sequence[tuple[float, ...]]) -> Line:
    epochs = list(zip_longest(*seeds, fillvalue=math.nan))  # one may have stopped early
    finite = [[value for value in epoch if math.isfinite(value)] for epoch in epochs]
    return Line(
        arm,
        colour,
        tuple(_mean(own) for own in finite),
        tuple(min(own, default=math.nan) for own in finite),
        tuple(max(own, default=math.nan) for own in finite),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def curve_svg(curves: Sequence[Curve]) -> str:
    """Draw a panel per figure, with a line per arm and a band over its seeds."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["path"] = _path
    template = resources.files(__package__).joinpath("learning_curve.svg.jinja")
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        panels=draw_lines(curves), width=WIDTH, height=HEIGHT
    )


WIDTH, HEIGHT = 420, 260
"""Size of a panel in pixels."""


def _path(values: Sequence[float], *, backwards: bool = False) -> str:
    """Return the points of a line, x from first to last epoch, y from 0 at the bottom to 1."""
    last = max(len(values) - 1, 1)
    points = [
        f"{WIDTH * epoch / last:.1f},{HEIGHT * (1 - value):.1f}"
        for epoch, value in enumerate(values)
        if math.isfinite(value)
    ]
    return " ".join(reversed(points) if backwards else points)
