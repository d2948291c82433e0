"""Paired differences between arms trained with the same seeds, with intervals.

With the same seed, arms see the same chips in the same order and start with the same
segmentation, so their differences vary less than their figures. The interval covers the
randomness of both training and ground: every draw takes seeds and blocks with replacement. A few
seeds show too little of their own variance. Their part of a draw is therefore widened by
√(n / (n - 1)), and by how much wider Student's interval of n - 1 degrees of freedom is than the
normal one.
"""

import json
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from geosrseg.core.text.csv_text import as_csv
from geosrseg.evaluation.experiment import Experiment, find_baselines
from geosrseg.evaluation.report.report import Report
from geosrseg.evaluation.scoring.bootstrap import LEVEL, Estimate, estimate
from geosrseg.evaluation.source_figures import finite

POWER = 0.8
"""Statistical power for which the number of seeds is computed."""

FIGURES = ("mean_iou", "kappa", "boundary_mean_iou")
"""Figures compared, besides the IoU of each class."""


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """All seeds of an experiment.

    Attributes:
        name: see `Experiment.arm`.
        values: (seeds,) values for each figure.
        draws: (resamples, seeds) values for each figure, on shared draws of blocks.
    """

    name: str
    values: Mapping[str, NDArray[np.float64]]
    draws: Mapping[str, NDArray[np.float64]]

    def resampled(self, figure: str) -> NDArray[np.float64]:
        """Return (resamples,) means over drawn seeds, on drawn blocks."""
        draws = self.draws[figure]
        seeds = draws.shape[1]
        generator = np.random.default_rng(0)  # same draws for all arms: seeds stay paired
        picked = generator.integers(seeds, size=draws.shape)
        mean, drawn = draws.mean(1), np.take_along_axis(draws, picked, 1).mean(1)
        widened: NDArray[np.float64] = mean + _widening(seeds) * (drawn - mean)
        return widened


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One figure of an arm against that of its baseline.

    Attributes:
        arm: name of the arm.
        baseline: name of the arm that it is compared with.
        figure: name of the figure.
        by_seed: (seeds,) differences.
        difference: their mean, with its interval over seeds and blocks.
        share: share of the gap between the baseline and native images that the arm closes; None
            without native images, NaN if they are not better.
    """

    arm: str
    baseline: str
    figure: str
    by_seed: NDArray[np.float64]
    difference: Estimate
    share: Estimate | None

    @property
    def seed_interval(self) -> tuple[float, float]:
        """Student's t interval of the mean difference, over seeds only."""
        n = len(self.by_seed)
        reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * self.deviation / math.sqrt(n)
        return self.difference.value - reach, self.difference.value + reach

    @property
    def deviation(self) -> float:
        """Standard deviation of the differences between seeds."""
        return float(self.by_seed.std(ddof=1))

    @property
    def seeds_needed(self) -> float:
        """Seeds needed to show a difference of this size four times out of five.

        The smallest number at which a paired t-test has the power; infinite without a
        difference.
        """
        if not self.difference.value:
            return math.inf
        if not self.difference.defined:
            return math.nan
        size = abs(self.difference.value) / self.deviation if self.deviation else math.inf
        enough = next((2**k for k in range(1, 21) if _power(size, 2**k) >= POWER), None)
        if enough is None:
            return math.inf
        fewer = range(enough // 2 + 1, enough)
        return enough // 2 + 1 + bisect_left(fewer, POWER, key=partial(_power, size))

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values; NaN and infinity become None."""
        low, high = self.seed_interval
        return {
            "arm": self.arm,
            "compared_with": self.baseline,
            "figure": self.figure,
            "difference": _numbers(self.difference),
            "interval_over_seeds": [finite(low), finite(high)],
            "by_seed": [finite(value) for value in self.by_seed.tolist()],
            "deviation": finite(self.deviation),
            "seeds_needed": finite(self.seeds_needed),
            "share_of_room": _numbers(self.share) if self.share else None,
        }


def pair_arms(report: Report) -> list[Pair]:
    """Compare every arm with its baseline, figure by figure; needs several seeds."""
    arms = _arms(report)
    compared = _compared(report.experiments)
    names = [*FIGURES, *(f"iou/{name}" for name in report.legend.names)]
    return [
        _pair(arms[arm], arms[baseline], arms.get("hr"), figure)
        for arm, baseline in compared
        for figure in names
    ]


def _arms(report: Report) -> dict[str, Arm]:
    models: dict[str, list[Any]] = {}
    for experiment, model in zip(report.experiments, report.models, strict=True):
        models.setdefault(experiment.arm, []).append(model.resampled)
    return {
        name: Arm(
            name,
            {key: np.array([own.figures[key] for own in seeds]) for key in seeds[0].figures},
            {key: np.stack([own.draws[key] for own in seeds], 1) for key in seeds[0].draws},
        )
        for name, seeds in models.items()
    }


def _compared(experiments: Sequence[Experiment]) -> list[tuple[str, str]]:
    """Pair each arm with its baseline, and native images with every baseline."""
    pairs = [
        (each.arm, experiments[baseline].arm)
        for each, baseline in zip(experiments, find_baselines(experiments), strict=True)
        if baseline is not None
    ]
    arms = {each.arm: each.protocol for each in experiments}
    rooms = [("hr", arm) for arm, protocol in arms.items() if protocol == "lr" and "hr" in arms]
    return [*dict.fromkeys(pairs), *rooms]


def _pair(arm: Arm, baseline: Arm, hr: Arm | None, figure: str) -> Pair:
    def changed(own: Arm) -> tuple[float, NDArray[np.float64]]:
        by_seed = own.values[figure] - baseline.values[figure]
        return float(by_seed.mean()), own.resampled(figure) - baseline.resampled(figure)

    value, draws = changed(arm)
    share = None
    if hr is not None and arm is not hr:
        room, room_draws = changed(hr)
        apart = estimate(room, room_draws).low > 0
        unknown = Estimate(math.nan, math.nan, math.nan)
        share = estimate(value / room, draws / room_draws) if apart else unknown
    return Pair(
        arm.name,
        baseline.name,
        figure,
        arm.values[figure] - baseline.values[figure],
        estimate(value, draws),
        share,
    )


def _widening(seeds: int) -> float:
    student, normal = stats.t.ppf((1 + LEVEL) / 2, seeds - 1), stats.norm.ppf((1 + LEVEL) / 2)
    return math.sqrt(seeds / (seeds - 1)) * float(student / normal)


def _power(size: float, seeds: int) -> float:
    """Return the power of a paired t-test for a difference of `size` standard deviations."""
    limit = stats.t.ppf((1 + LEVEL) / 2, seeds - 1)
    return float(stats.nct.sf(limit, seeds - 1, size * math.sqrt(seeds)))


def pairs_csv(pairs: Sequence[Pair]) -> str:
    """Return a row per arm and figure."""
    rows = [
        {
            "arm": pair.arm,
            "compared_with": pair.baseline,
            "figure": pair.figure,
            "seeds": len(pair.by_seed),
            **_columns("difference", pair.difference),
            "seeds_low": pair.seed_interval[0],
            "seeds_high": pair.seed_interval[1],
            "deviation": pair.deviation,
            "seeds_needed": pair.seeds_needed,
            **_columns("share", pair.share),
        }
        for pair in pairs
    ]
    return as_csv([list(rows[0]) if rows else ["arm"], *(row.values() for row in rows)])


def pairs_json(pairs: Sequence[Pair]) -> str:
    """Return all pairs with their differences by seed."""
    values = [pair.to_json() for pair in pairs]
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _columns(name: str, own: Estimate | None) -> dict[str, float | str]:
    ends = ("", "_low", "_high")
    if own is None:
        return {f"{name}{end}": "" for end in ends}
    return dict(zip((name + end for end in ends), (own.value, own.low, own.high), strict=True))


def _numbers(own: Estimate) -> dict[str, Any]:
    return {"value": finite(own.value), "interval": [finite(own.low), finite(own.high)]}
